import { GatewayError } from '../errors/gateway-error'
import type { FormBody } from '../protocols/form'
import { stringOf } from '../std/record'
import { ConnectionLanes, type LaneEvent, type OriginConnections } from './connection-lanes'
import type { Deadlines } from './deadlines'
import { type AddressGuard, createAddressGuard } from './private-addresses'
import { Http1Client } from './http1/http1-client'
import type { Provider } from './provider'
import type { UpstreamResponse } from './upstream-response'

export type SendRequest = {
  provider: Provider
  /** The wire format, by its name: decides on the provider's own headers. */
  format: string
  /** Behind the provider's base URL, with its leading slash. */
  path: string
  body: Uint8Array | FormBody | undefined
  /** Left out: POST with a body, GET without. */
  method?: 'GET' | 'POST' | 'DELETE' | undefined
  /** The client's headers that may pass; `undefined` for none. */
  headers: Readonly<Record<string, string>> | undefined
  deadlines: Deadlines
  /** Open a connection of its own: a pooled one was just found dead. */
  fresh: boolean
}

/**
 * Why the same request may be sent again at once: it failed before its head, or its credential had just ended.
 */
export type ResendReason = 'http2_refused' | 'connection_reset' | 'credential_refused'

export type SendResult =
  | {
      ok: true
      response: UpstreamResponse
      /** What its provider's credential signed it with; `undefined` where there is none. */
      signed: Readonly<Record<string, string>> | undefined
    }
  | { ok: false; error: GatewayError; resend: ResendReason | undefined }

/** The only way to an upstream. */
export type Sender = {
  /** Sends and gives the response as soon as its head is there. Failures are values, never thrown. */
  send(request: SendRequest): Promise<SendResult>
  /** The origin has not answered lately, so that connecting wants its own deadline. */
  isCold(provider: Provider): boolean
}

export type ConnectionWarmer = {
  /**
   * Opens a connection for requests to come, by a HEAD of the origin's root without any credential. Gives why that failed;
   * whatever was answered is fine.
   */
  warm(provider: Provider, deadlines: Deadlines): Promise<GatewayError | undefined>
}

const WARM_FOR_MS = 30_000

/** `onLane` is told when more pools are needed for an origin that speaks HTTP/1.1 over TLS. */
export function createSender(
  guard: AddressGuard = createAddressGuard(),
  onLane?: (event: LaneEvent) => void
): Sender & ConnectionWarmer {
  return new OriginSender(guard, onLane)
}

class OriginSender implements Sender, ConnectionWarmer {
  readonly #guard: AddressGuard
  readonly #lanes: ConnectionLanes
  readonly #plain = new Http1Client()

  constructor(guard: AddressGuard, onLane?: (event: LaneEvent) => void) {
    this.#guard = guard
    this.#lanes = new ConnectionLanes(onLane)
  }

  isCold(provider: Provider): boolean {
    const answered = this.#lanes.of(provider).answeredAtMs
    return answered === undefined || performance.now() - answered > WARM_FOR_MS
  }

  /** Most requests have nothing to wait for before they are sent. */
  send(request: SendRequest): Promise<SendResult> {
    const { provider } = request
    try {
      const checking = this.#check(provider)
      if (checking || provider.credential) return this.#sendPrepared(request, checking)
      return this.#sendWith(toHeaders(request), request)
    } catch (cause) {
      return Promise.resolve(giveUp(request, cause))
    }
  }

  #check(provider: Provider): Promise<void> | undefined {
    return needsGuard(provider) ? this.#guard(provider.name, provider.host) : undefined
  }

  async #sendPrepared(
    request: SendRequest,
    checking: Promise<void> | undefined
  ): Promise<SendResult> {
    try {
      if (checking) await checking
      const headers = toHeaders(request)
      const signed = await sign(toUrl(request.provider, request.path), headers, request)
      return await this.#sendWith(signed ? { ...headers, ...signed } : headers, request, signed)
    } catch (cause) {
      return giveUp(request, cause)
    }
  }

  /** Reactions in the place of `await`: each request comes by here. */
  #sendWith(
    headers: Readonly<Record<string, string>>,
    request: SendRequest,
    signed?: Readonly<Record<string, string>>
  ): Promise<SendResult> {
    const { provider, deadlines } = request
    const connections = this.#lanes.of(provider)
    return this.#dispatch(headers, request, connections).then(
      (response) => {
        deadlines.connected()
        connections.answered(response)
        return { ok: true, response, signed }
      },
      (cause: unknown) => giveUp(request, cause)
    )
  }

  #dispatch(
    headers: Readonly<Record<string, string>>,
    request: SendRequest,
    connections: OriginConnections
  ): Promise<UpstreamResponse> {
    const { provider, deadlines, body, fresh } = request
    if (provider.plainPath !== undefined && !(body && 'stream' in body))
      return this.#plain.send(provider.origin, {
        method: request.method ?? methodOf(body),
        path: withQuery(provider.plainPath + request.path, provider),
        headers,
        hasKnownHeaders: headers === provider.headers[request.format],
        ...{ body, deadlines, fresh },
      })
    const options = toFetchOptions(request, headers)
    enterLane(connections, options, deadlines)
    return fetch(toUrl(provider, request.path), options)
  }

  async warm(provider: Provider, deadlines: Deadlines): Promise<GatewayError | undefined> {
    const hadLanes = this.#lanes.of(provider).hasLanes
    try {
      const connections = await this.#warmOnce(provider, deadlines)
      // Its requests will go by lanes of its own, which was not known before.
      if (connections.hasLanes && !hadLanes) await this.#warmOnce(provider, deadlines)
      return undefined
    } catch (cause) {
      deadlines.vacate()
      const failure = toFailure(provider, deadlines, cause)
      return failure.ok ? undefined : failure.error
    }
  }

  async #warmOnce(provider: Provider, deadlines: Deadlines): Promise<OriginConnections> {
    const checking = this.#check(provider)
    if (checking) await checking
    const connections = this.#lanes.of(provider)
    const options = toFetchOptions({ provider, deadlines, body: undefined, fresh: false }, PLAIN)
    options.method = 'HEAD'
    enterLane(connections, options, deadlines)
    const response = await fetch(`${provider.origin}/`, options)
    connections.answered(response)
    await response.arrayBuffer()
    deadlines.vacate()
    return connections
  }
}

/** Has the request go by a lane, where its origin has such. */
function enterLane(
  connections: OriginConnections,
  options: BunFetchRequestInit,
  deadlines: Deadlines
): void {
  const lane = connections.enter()
  if (lane === undefined) return
  deadlines.occupy(lane)
  options.tls = lane.tls
}

/** Of what asks for nothing. */
const PLAIN = { 'accept-encoding': 'identity', 'user-agent': 'tollgate' }

function needsGuard({ configuration, transport }: Provider): boolean {
  return !configuration.privateAddresses && !transport.proxy
}

/** Most requests bring nothing of their own: then the provider's headers serve as they are. */
function toHeaders({ provider, format, headers }: SendRequest): Readonly<Record<string, string>> {
  const own = provider.headers[format] ?? {}
  return headers ? { ...own, ...headers } : own
}

function toUrl(provider: Provider, path: string): string {
  return withQuery(provider.configuration.baseUrl + path, provider)
}

function withQuery(path: string, { query }: Provider): string {
  if (query === '') return path
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

function sign(
  url: string,
  headers: Readonly<Record<string, string>>,
  { provider, body, method }: SendRequest
) {
  return provider.credential?.sign({
    method: method ?? methodOf(body),
    ...{ url, headers, body: bytesOf(body) },
  })
}

/** Of a form, which has no end yet, nothing is signed. */
const bytesOf = (body: SendRequest['body']) => (body instanceof Uint8Array ? body : undefined)

const methodOf = (body: SendRequest['body']) => (body ? 'POST' : 'GET')

function toFetchOptions(
  { provider, body, method, deadlines, fresh }: Omit<SendRequest, 'format' | 'path' | 'headers'>,
  headers: Readonly<Record<string, string>>
): BunFetchRequestInit {
  const { proxy, tls } = provider.transport
  const options: BunFetchRequestInit = {
    method: method ?? methodOf(body),
    headers,
    signal: deadlines.signal,
    proxy,
    // A redirect would carry the key and the body to another host.
    redirect: 'manual',
    // The deadlines are ours: Bun's own idle timeout would end a slow model after five minutes.
    timeout: false,
  }
  if (tls) options.tls = tls
  if (fresh) options.keepalive = false
  if (body && 'stream' in body) {
    // A large body may take longer to send than an answer to begin: that is awaited from its last piece on.
    options.body = body.stream(() => deadlines.sending())
    options.headers = {
      ...headers,
      'content-type': body.contentType,
      'content-length': String(body.length),
    }
  } else if (body && deadlines.isConnecting) {
    options.body = toProbingBody(body, deadlines)
    options.headers = { ...headers, 'content-length': String(body.length) }
  } else if (body) options.body = body
  return options
}

/**
 * Bun says nowhere when a connection stands. A body that is pulled does: it is asked for once TCP and TLS
 * are up. It costs half as much again as plain bytes, so only an origin not heard of lately gets it.
 */
function toProbingBody(body: Uint8Array, deadlines: Deadlines): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        deadlines.connected()
        controller.enqueue(body)
        controller.close()
      },
    },
    { highWaterMark: 0 }
  )
}

function giveUp({ provider, deadlines }: SendRequest, cause: unknown): SendResult {
  deadlines.vacate()
  return toFailure(provider, deadlines, cause)
}

const RESET_CODES = new Set(['ECONNRESET', 'EPIPE', 'ConnectionClosed'])

function toFailure(provider: Provider, deadlines: Deadlines, cause: unknown): SendResult {
  const { reason } = deadlines
  if (reason) return { ok: false, error: reason, resend: undefined }
  if (cause instanceof GatewayError) return { ok: false, error: cause, resend: undefined }
  const code = stringOf(cause, 'code') ?? 'unknown'
  if (code === 'HTTP2RefusedStream')
    return failed('upstream_unreachable', 'refused the stream', 'http2_refused')
  if (RESET_CODES.has(code) || code.startsWith('HTTP2'))
    return failed('upstream_broken', 'closed the connection before it answered', 'connection_reset')
  return failed('upstream_unreachable', "can't be reached", undefined)

  function failed(
    errorCode: 'upstream_unreachable' | 'upstream_broken',
    what: string,
    resend: ResendReason | undefined
  ): SendResult {
    const message = `the provider '${provider.name}' ${what} (${code})`
    return { ok: false, error: new GatewayError(errorCode, message, { cause }), resend }
  }
}
