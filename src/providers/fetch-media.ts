import { isPrivateHost } from '../config/private-address'
import { GatewayError } from '../errors/gateway-error'
import { excerpt } from '../std/excerpt'
import { createAddressGuard } from './private-addresses'

/** A picture that was fetched. */
export type FetchedMedia = { readonly base64: string; readonly mimeType: string }

/** Fetches the picture at an address. Rejects with `invalid_request`, in words of what is wrong with it. */
export type FetchMedia = (url: string) => Promise<FetchedMedia>

export type FetchMediaOptions = {
  /** Bytes of one picture; ten million unless told. */
  maxBytes?: number
  /** For all of it, redirects too; ten seconds unless told. */
  timeoutMs?: number
  /** Addresses within the machine's own network are fine: for tests. */
  allowPrivate?: boolean
  lookup?: typeof Bun.dns.lookup
}

const MAX_BYTES = 10_000_000
const TIMEOUT_MS = 10_000
const MAX_REDIRECTS = 3
const TYPES = /^image\/(png|jpeg|gif|webp)$/

/**
 * What fetches pictures for providers that can't: by http and https, without any credential, never from a private
 * address, wherever a redirect leads.
 */
export function createMediaFetcher(options: FetchMediaOptions = {}): FetchMedia {
  const { maxBytes = MAX_BYTES, timeoutMs = TIMEOUT_MS, allowPrivate = false } = options
  const terms = () => ({ title: 'the host of the picture', field: 'none' })
  const guard = createAddressGuard(options.lookup, terms)

  async function follow(url: URL, signal: AbortSignal): Promise<Response> {
    let at = url
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      if (at.protocol !== 'https:' && at.protocol !== 'http:')
        throw new Error('it is no web address')
      if (at.username !== '' || at.password !== '') throw new Error('it holds a credential')
      if (!allowPrivate) {
        if (isPrivateHost(at.hostname)) throw new Error('it is private')
        await guard(at.hostname, at.hostname)
      }
      const response = await fetch(at, {
        ...{ redirect: 'manual', signal, proxy: false },
        headers: {
          accept: 'image/png, image/jpeg, image/gif, image/webp',
          'user-agent': 'tollgate',
        },
      })
      const location =
        response.status >= 300 && response.status < 400 && response.headers.get('location')
      if (!location) return response
      await response.body?.cancel()
      at = new URL(location, at)
    }
    throw new Error('it leads from one address to the next')
  }

  async function load(written: string): Promise<FetchedMedia> {
    const url = URL.parse(written)
    if (url === null) throw new Error('it is no address')
    const response = await follow(url, AbortSignal.timeout(timeoutMs))
    if (!response.ok) throw new Error(`its host answered ${response.status}`)
    const mimeType = response.headers.get('content-type')?.split(';', 1)[0]?.trim() ?? ''
    if (!TYPES.test(mimeType)) throw new Error(`it is '${excerpt(mimeType, 40)}', not a picture`)
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      // Leaving the loop cancels the body.
      if (length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return { base64: Buffer.concat(chunks, length).toString('base64'), mimeType }
  }

  return async (url) => {
    try {
      return await load(url)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new GatewayError(
        'invalid_request',
        `the picture at '${excerpt(url, 200)}' can't be had, which this model wants in the request: ${why}`,
        { param: 'messages', cause }
      )
    }
  }
}
