import type { FrameChange } from './fault-frames'
import {
  commentsOnly,
  drip,
  dropParts,
  failFirst,
  failMidway,
  hangAfterHead,
  hangMidway,
  malform,
  prependBlanks,
  resetMidway,
  truncate,
} from './fault-frames'
import type { Failure, Quirks } from './protocol'

/** What a model's name begins with to ask for a fault: `fault-error-429`. */
export const FAULT_PREFIX = 'fault-'

/** Where a redirect leads; `stats()` tells whether anybody followed it. */
export const REDIRECT_PATH = '/sim/redirected'

export type Fault = {
  /** One line for people, in help and documentation. */
  summary: string
  /** Headers added to the answer. */
  headers?: Record<string, string>
  /** An error body of the protocol, instead of an answer. */
  failure?: Failure
  /** No answer of the protocol: none until the client leaves, a reset connection, or other bytes. */
  instead?: 'silence' | 'reset' | { status: number; contentType?: string; body: string }
  quirks?: Partial<Quirks>
  change?: FrameChange
  gzip?: boolean
}

const HTML =
  '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n' +
  '<body><center><h1>502 Bad Gateway</h1></center><hr><center>simulator</center></body></html>\n'

const MEBIBYTE = 1024 * 1024

/** Every fault by name, without its prefix. */
const FAULTS: Readonly<Record<string, Fault>> = {
  'error-400': {
    summary: '400, a parameter is refused',
    failure: {
      status: 400,
      code: 'invalid_value',
      message: 'The simulator refuses this temperature.',
      param: 'temperature',
    },
  },
  'error-401': {
    summary: '401, the provider key is wrong',
    failure: { status: 401, code: 'invalid_api_key', message: 'Incorrect API key provided.' },
  },
  'error-403': {
    summary: '403, the provider key may not use the model',
    failure: { status: 403, code: 'model_not_allowed', message: 'Your project has no access.' },
  },
  'error-404': {
    summary: '404, no such model',
    failure: { status: 404, code: 'model_not_found', message: 'The model does not exist.' },
  },
  'error-429': {
    summary: '429 with Retry-After: 1',
    headers: { 'retry-after': '1' },
    failure: { status: 429, code: 'rate_limit_exceeded', message: 'Rate limit reached.' },
  },
  'error-500': {
    summary: '500, the model failed',
    failure: { status: 500, code: null, message: 'The server had an error.' },
  },
  'error-503': {
    summary: '503 (529 from Anthropic), the model is overloaded',
    failure: { status: 503, code: null, message: 'The engine is currently overloaded.' },
  },
  'hang-before-headers': { summary: 'no answer at all, connection open', instead: 'silence' },
  'hang-after-head': {
    summary: 'a 200 head and one line feed, then nothing, connection open',
    change: hangAfterHead,
  },
  'hang-mid-stream': {
    summary: 'half an answer, then nothing, connection open',
    change: hangMidway,
  },
  'comments-only': {
    summary: 'a 200 head, then a ": keep-alive" comment every 100 ms and nothing else',
    change: commentsOnly,
  },
  'reset-before-headers': {
    summary: 'the connection is reset without an answer',
    instead: 'reset',
  },
  'reset-mid-stream': {
    summary: 'half an answer, then the connection is reset',
    change: resetMidway,
  },
  'truncated-json': {
    summary: 'half an answer with an orderly end; a stream ends inside a frame',
    change: truncate,
  },
  'malformed-sse': {
    summary: 'streams: a frame in the middle whose data is not JSON, or of a wrong checksum',
    change: malform,
  },
  'no-done': {
    summary: 'streams: no end mark: [DONE], message_stop, response.completed, metadata',
    change: dropParts('end'),
  },
  'truncated-stream': {
    summary: 'streams: neither a finish reason nor an end mark, but an orderly end',
    change: dropParts('finish', 'usage', 'end'),
  },
  'error-first-frame': {
    summary: 'a 200 head, then an error as the only frame or as the body',
    change: failFirst,
  },
  'error-mid-stream': {
    summary: 'streams: an error frame after some content, no end mark',
    change: failMidway,
  },
  'no-usage': {
    summary: 'an answer without usage, asked for or not',
    quirks: { usage: 'omitted' },
  },
  'choices-null-usage': {
    summary: 'streams: the usage frame has "choices":null, as vLLM sends it',
    quirks: { usage: 'null-choices' },
  },
  'refuses-include-usage': {
    summary: '400 when the request has stream_options',
    quirks: { refusesStreamOptions: true },
  },
  'slow-drip': { summary: 'one byte a millisecond, each on its own', change: drip },
  'huge-frame': {
    summary: 'one frame of more than 1 MB',
    quirks: { filler: { sizeBytes: 1.25 * MEBIBYTE, pieceBytes: 1.25 * MEBIBYTE } },
  },
  'huge-answer': {
    summary: 'an answer of 70 MB',
    quirks: { filler: { sizeBytes: 70 * MEBIBYTE, pieceBytes: 32 * 1024 } },
  },
  gzip: { summary: 'compressed with gzip, though identity was asked for', gzip: true },
  redirect: {
    summary: `307 to ${REDIRECT_PATH}, which remembers whether it was reached`,
    headers: { location: REDIRECT_PATH },
    instead: { status: 307, body: '' },
  },
  'html-error': {
    summary: '502 with an HTML page',
    instead: { status: 502, contentType: 'text/html; charset=utf-8', body: HTML },
  },
  'html-200': {
    summary: '200 with an HTML page',
    instead: { status: 200, contentType: 'text/html; charset=utf-8', body: HTML },
  },
  'leading-whitespace': {
    summary: 'blank lines before a whole answer, comments before a stream, as DeepSeek sends them',
    change: prependBlanks,
  },
  'empty-body': {
    summary: '200 with an empty JSON body',
    instead: { status: 200, contentType: 'application/json', body: '' },
  },
  'set-cookie': {
    summary: 'an answer with a cookie and headers no client should see',
    headers: {
      'set-cookie': '__cf_bm=simulated; path=/; HttpOnly; Secure; SameSite=None',
      'alt-svc': 'h3=":443"; ma=86400',
      'keep-alive': 'timeout=5',
      'proxy-authenticate': 'Basic realm="simulator"',
      server: 'simulator-edge',
      'strict-transport-security': 'max-age=31536000',
      'x-envoy-upstream-service-time': '7',
      'x-powered-by': 'simulator',
    },
  },
}

/** A fault by its name without the prefix; `undefined` where there is none of that name. */
export function findFault(name: string): Fault | undefined {
  return Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined
}

/** Every fault, for help and documentation: the model's name and one line of what happens. */
export function listFaults(): { model: string; summary: string }[] {
  return Object.entries(FAULTS).map(([name, { summary }]) => ({
    model: `${FAULT_PREFIX}${name}`,
    summary,
  }))
}
