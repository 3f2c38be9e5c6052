import { jinaRerankCodec } from '../../protocols/rerank/rerank'
import { rerankEndpoint } from '../codec-endpoint'
import type { Endpoint, Failure, SimulatedProtocol } from '../protocol'
import { listeningEndpoint } from './audio'
import { findBatches } from './batches'
import { chatEndpoint } from './chat'
import { completionsEndpoint } from './completions'
import { embeddingsEndpoint } from './embeddings'
import { findFiles } from './files'
import { imageEditsEndpoint, imagesEndpoint } from './images'
import { modelEndpoint, modelsEndpoint, MODELS_PATH } from './models'
import { moderationsEndpoint } from './moderations'
import { speechEndpoint } from './speech'

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  '/v1/chat/completions': chatEndpoint,
  '/v1/completions': completionsEndpoint,
  '/v1/embeddings': embeddingsEndpoint,
  '/v1/moderations': moderationsEndpoint,
  '/v1/images/generations': imagesEndpoint,
  '/v1/audio/speech': speechEndpoint,
  '/v1/audio/transcriptions': listeningEndpoint,
  '/v1/audio/translations': listeningEndpoint,
  '/v1/images/edits': imageEditsEndpoint,
  '/v1/images/variations': imageEditsEndpoint,
  '/v1/rerank': rerankEndpoint(jinaRerankCodec, (model) =>
    /cohere|^rerank-v/.test(model) ? 'units' : 'tokens'
  ),
  [MODELS_PATH]: modelsEndpoint,
}

/** Where Google and Cohere have OpenAI's API. */
const COMPATIBLE = /^\/(v1beta\/openai|compatibility\/v1)\//

/** OpenAI's API: chat, legacy completions, embeddings, moderations, images, sound, files, batches, models; and the rerank of its likes. */
export const openaiProtocol: SimulatedProtocol = {
  endpoint(asked) {
    const pathname = asked.pathname.replace(COMPATIBLE, '/v1/')
    const kept = findFiles(asked) ?? findBatches(asked, (path) => ENDPOINTS[path])
    if (kept) return kept
    if (pathname.startsWith(`${MODELS_PATH}/`)) return modelEndpoint
    return Object.hasOwn(ENDPOINTS, pathname) ? ENDPOINTS[pathname] : undefined
  },

  headers(requestNumber, processingMs) {
    return {
      'x-request-id': `req_sim_${String(requestNumber).padStart(8, '0')}`,
      'openai-organization': 'simulator',
      'openai-processing-ms': String(processingMs),
      'openai-version': '2020-10-01',
      'x-ratelimit-limit-requests': '10000',
      'x-ratelimit-limit-tokens': '30000000',
      'x-ratelimit-remaining-requests': '9999',
      'x-ratelimit-remaining-tokens': '29999000',
      'x-ratelimit-reset-requests': '6ms',
      'x-ratelimit-reset-tokens': '2ms',
    }
  },

  renderError(failure) {
    return `${JSON.stringify(errorBody(failure), undefined, 2)}\n`
  },

  renderErrorFrame(failure) {
    return `data: ${JSON.stringify(errorBody(failure))}\n\n`
  },

  streamType: 'text/event-stream; charset=utf-8',
  brokenFrame: 'data: {"choices":[{"delta":\n\n',
  keepAlive: ': keep-alive\n\n',
}

function errorBody({ status, code, message, param }: Failure) {
  return { error: { message, type: errorType(status), param: param ?? null, code } }
}

function errorType(status: number): string {
  if (status === 429) return 'requests'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
