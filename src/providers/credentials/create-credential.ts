import type { Identity } from '../../config/identity'
import { createAwsCredential } from './aws'
import { createAzureCredential } from './azure'
import type { Credential } from './credential'
import { createGoogleCredential } from './google'
import { createIbmCredential } from './ibm'

/**
 * The credential of an identity, kept fresh from the first request on. Nothing is asked for and no library is loaded
 * before that, so it never throws; what is wrong with the identity shows at the first `sign`.
 */
export function createCredential(identity: Identity): Credential {
  switch (identity.kind) {
    case 'aws':
      return createAwsCredential(identity)
    case 'google':
      return createGoogleCredential(identity)
    case 'azure':
      return createAzureCredential(identity)
    case 'ibm':
      return createIbmCredential(identity)
  }
}
