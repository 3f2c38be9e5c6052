/** Who gives out a provider's short-lived credentials, and by what they know us. Secrets are read already. */
export type Identity = AwsIdentity | GoogleIdentity | AzureIdentity | IbmIdentity

/**
 * Without keys or a profile the default chain decides: environment, profile files, web identity, container, instance
 * metadata. https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 */
export type AwsIdentity = {
  readonly kind: 'aws'
  readonly region: string
  /** The service that requests are signed for: `bedrock`. */
  readonly service: string
  readonly accessKeyId?: string | undefined
  readonly secretAccessKey?: string | undefined
  readonly sessionToken?: string | undefined
  readonly profile?: string | undefined
  /** A role to assume with the credentials found. */
  readonly roleArn?: string | undefined
  readonly externalId?: string | undefined
  readonly roleSessionName?: string | undefined
}

/**
 * Without a text, Application Default Credentials decide: GOOGLE_APPLICATION_CREDENTIALS, gcloud's file, the metadata
 * server. https://docs.cloud.google.com/docs/authentication/application-default-credentials
 */
export type GoogleIdentity = {
  readonly kind: 'google'
  /** The JSON of a service account's key or of a workload identity federation. */
  readonly credentialsJson?: string | undefined
}

/**
 * A client secret, a federated token (workload identity), else the machine's managed identity.
 * https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/managed-identity
 */
export type AzureIdentity = {
  readonly kind: 'azure'
  /** What the token is for: `https://cognitiveservices.azure.com/.default`. */
  readonly scope: string
  readonly tenantId?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly federatedTokenFile?: string | undefined
  /** Another cloud's authority, `https://login.microsoftonline.com` unless said. */
  readonly authority?: string | undefined
}

/** https://cloud.ibm.com/docs/account?topic=account-iamtoken_from_apikey */
export type IbmIdentity = {
  readonly kind: 'ibm'
  readonly apiKey: string
  /** Where tokens are given out, `https://iam.cloud.ibm.com/identity/token` unless said. */
  readonly tokenUrl?: string | undefined
}
