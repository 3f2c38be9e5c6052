import { fields, reference, text } from './fields'

const written = (what: string) => text('a text').optional().describe(what)

/** What Amazon knows us by. */
export function awsFields() {
  return fields({
    access_key_id: written('An access key; with secret_access_key, in the place of the chain.'),
    secret_access_key: reference().optional().describe('Its secret: ${ENV_NAME} or ${file:PATH}.'),
    session_token: reference()
      .optional()
      .describe('Its session token: ${ENV_NAME} or ${file:PATH}.'),
    profile: written('A profile of the shared configuration files.'),
    role_arn: written('A role to assume with the credentials found.'),
    external_id: written('The external id that the role asks for.'),
    role_session_name: written('The name of the session, as the account sees it.'),
  })
}

/** What Google knows us by. */
export function googleFields() {
  return fields({
    credentials: reference()
      .optional()
      .describe("${file:PATH} or ${ENV_NAME} of a service account's key or a federation, as JSON."),
  })
}

/** What Entra knows us by. */
export function azureFields() {
  return fields({
    tenant_id: written('The tenant.'),
    client_id: written('The application, or the user-assigned managed identity.'),
    client_secret: reference().optional().describe('Its secret: ${ENV_NAME} or ${file:PATH}.'),
    federated_token_file: written('The file with the token of a workload identity.'),
    authority: written("Another cloud's authority, as an https:// address."),
    scope: written('What the token is for.'),
  })
}

/** What IBM Cloud knows us by. */
export function ibmFields() {
  return fields({
    token_url: written('Where tokens are given out, if not at https://iam.cloud.ibm.com.'),
  })
}
