import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { GatewayError } from '../errors/gateway-error'
import type { BodyHolder, ReadForm } from '../gateway/client-call'
import { Form, type FormPart } from '../protocols/form'
import { stringOf } from '../std/record'
import { type OpenFile, Spool } from '../std/spool'

export type FormSettings = {
  /** Of a form in all. */
  maxBytes(): number
  /** A folder for what is too large for memory. */
  directory: string
  /** The next bytes have to come within it. */
  stallMs?: number
  /** All of them have to come within it. */
  totalMs?: number
  openFile?: OpenFile
}

/** Of one field that is no file: a prompt, a schema. */
const MAX_FIELD_BYTES = 1024 * 1024
const MAX_FIELDS = 256
const MAX_FILES = 32
const STALL_MS = 60_000
const TOTAL_MS = 60 * 60_000

/**
 * Reads a body of multipart/form-data as it comes, no faster than the disk takes it. `holder` is told of what is kept in
 * memory. Rejects with `invalid_request`, `request_too_large`, `request_timeout`, `client_closed`, `disk_full`, and what
 * `holder` throws; then nothing of it is left.
 */
export async function readForm(
  request: Request,
  holder: BodyHolder,
  settings: FormSettings
): Promise<ReadForm> {
  const reading = new FormReading(holder, settings)
  try {
    return await reading.run(request)
  } catch (error) {
    reading.dispose()
    throw toFormError(error)
  }
}

class FormReading {
  readonly #holder: BodyHolder
  readonly #settings: FormSettings
  readonly #parts: FormPart[] = []
  readonly #spools: Spool[] = []
  /** What the disk has not taken yet. */
  #writing: Promise<void> = Promise.resolve()
  #failure: unknown
  #length = 0

  constructor(holder: BodyHolder, settings: FormSettings) {
    this.#holder = holder
    this.#settings = settings
  }

  async run(request: Request): Promise<ReadForm> {
    const declared = Number(request.headers.get('content-length') ?? 0)
    if (declared > this.#settings.maxBytes()) throw this.#tooLarge()
    const parser = this.#createParser(request.headers.get('content-type') ?? '')
    const finished = new Promise<void>((resolve, reject) => {
      parser.once('finish', resolve)
      // One that nobody listens to would end the process.
      parser.on('error', reject)
    })
    finished.catch(() => {})
    const reader = (request.body ?? new Blob([]).stream()).getReader()
    // A read of a body does not end when its client leaves.
    const patience = new Patience(request.signal, this.#settings)
    try {
      for (;;) {
        const { value } = await patience.for(reader.read())
        if (value === undefined) break
        this.#length += value.length
        if (this.#length > this.#settings.maxBytes()) throw this.#tooLarge()
        await written(parser, value)
        await this.#writing
        if (this.#failure !== undefined) throw this.#failure
      }
    } finally {
      reader.cancel().catch(() => {})
    }
    // Some bodies just end where their client leaves.
    if (this.#length < declared || request.signal.aborted) throw clientLeft()
    parser.end()
    await patience.for(finished)
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    return { form: new Form(this.#parts), dispose: () => this.dispose() }
  }

  dispose(): void {
    for (const spool of this.#spools) spool.dispose().catch(() => {})
  }

  #createParser(contentType: string): BusboyInstance {
    const limits = { fieldSize: MAX_FIELD_BYTES, fields: MAX_FIELDS, files: MAX_FILES }
    const parser = new Busboy({
      headers: { 'content-type': contentType },
      limits: { ...limits, headerPairs: 32 },
    })
    parser.on('field', (name, value, _nameCut, isCut) => {
      if (isCut) this.#fail(invalid(name, `is longer than ${MAX_FIELD_BYTES} bytes`))
      this.#hold(value.length)
      this.#parts.push({ name, value })
    })
    parser.on('file', (name, stream, filename, _encoding, contentType) => {
      const { directory, openFile } = this.#settings
      const content = new Spool(directory, openFile)
      this.#spools.push(content)
      this.#parts.push({ name, filename: filename ?? 'file', contentType, content })
      stream.on('data', (chunk: Buffer) => this.#keep(content, chunk))
      stream.on('error', (error: unknown) => this.#fail(error))
    })
    for (const limit of ['fieldsLimit', 'filesLimit'] as const)
      parser.on(limit, () =>
        this.#fail(invalid('body', `has more than ${MAX_FIELDS} fields or ${MAX_FILES} files`))
      )
    return parser
  }

  /** In order, one after the other. */
  #keep(content: Spool, chunk: Buffer): void {
    if (this.#failure !== undefined) return
    const before = this.#writing
    this.#writing = this.#write(before, content, chunk)
  }

  async #write(before: Promise<void>, content: Spool, chunk: Buffer): Promise<void> {
    await before
    if (this.#failure !== undefined) return
    const held = content.heldBytes
    try {
      await content.append(chunk)
      this.#hold(content.heldBytes - held)
    } catch (error) {
      this.#fail(error)
    }
  }

  #hold(bytes: number): void {
    try {
      if (bytes > 0) this.#holder.hold(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error
  }

  #tooLarge(): GatewayError {
    const limit = this.#settings.maxBytes()
    return new GatewayError(
      'request_too_large',
      `the form is larger than ${limit} bytes, the most this gateway takes (server.max_upload)`
    )
  }
}

/** Resolves when the parser has gone through it. */
function written(parser: BusboyInstance, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    parser.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), () => resolve())
  })
}

/** The disk is full, or the quota is. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

function toFormError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  const code = stringOf(error, 'code') ?? ''
  if (FULL.has(code))
    return new GatewayError('disk_full', 'the gateway has no room on its disk for this upload', {
      retryAfterSeconds: 60,
      cause: error,
    })
  if (error instanceof Error && /multipart|boundary|Unexpected end|Malformed/i.test(error.message))
    return new GatewayError(
      'invalid_request',
      `the body is no multipart/form-data: ${error.message}`,
      { param: 'body' }
    )
  if (code.startsWith('E') && code !== 'ECONNRESET') return GatewayError.from(error)
  return new GatewayError(
    'client_closed',
    'the client closed the connection before its body ended',
    {
      cause: error,
    }
  )
}

/** Waits for one thing after the other, each within its time and while the client is there. */
class Patience {
  readonly #stallMs: number
  readonly #endAtMs: number
  readonly #signal: AbortSignal
  /** Ends the present wait. A promise that all waits race against would keep what each of them brought. */
  #giveUp: ((error: GatewayError) => void) | undefined

  constructor(signal: AbortSignal, { stallMs = STALL_MS, totalMs = TOTAL_MS }: FormSettings) {
    this.#stallMs = stallMs
    this.#endAtMs = performance.now() + totalMs
    this.#signal = signal
    signal.addEventListener('abort', () => this.#giveUp?.(clientLeft()), { once: true })
  }

  for<T>(waiting: Promise<T>): Promise<T> {
    if (this.#signal.aborted) return Promise.reject(clientLeft())
    return new Promise((resolve, reject) => {
      const limitMs = Math.min(this.#stallMs, this.#endAtMs - performance.now())
      const timer = setTimeout(() => reject(this.#stalled()), limitMs)
      this.#giveUp = reject
      waiting.then(resolve, reject).finally(() => {
        clearTimeout(timer)
        this.#giveUp = undefined
      })
    })
  }

  #stalled(): GatewayError {
    const isTotal = performance.now() >= this.#endAtMs
    return new GatewayError(
      'request_timeout',
      isTotal
        ? 'not all of the body came in time'
        : `nothing more of the body came within ${this.#stallMs / 1000} s`
    )
  }
}

function clientLeft(): GatewayError {
  return new GatewayError('client_closed', 'the client closed the connection')
}

function invalid(param: string, what: string): GatewayError {
  return new GatewayError('invalid_request', `'${param}' ${what}`, { param })
}
