/** Bytes of a form's file, which can be read again and again. */
export type FormContent = {
  readonly length: number
  read(): AsyncIterable<Uint8Array>
  /** The first bytes. */
  beginning(): Uint8Array
}

export type FormPart =
  | { readonly name: string; readonly value: string }
  | {
      readonly name: string
      readonly filename: string
      readonly contentType: string
      readonly content: FormContent
    }

/** A body of multipart/form-data (RFC 7578), read to its end. */
export class Form {
  readonly parts: readonly FormPart[]

  constructor(parts: readonly FormPart[]) {
    this.parts = parts
  }

  /** About what it had in bytes. */
  get length(): number {
    return this.parts.reduce(
      (sum, part) => sum + ('content' in part ? part.content.length : part.value.length),
      0
    )
  }

  /** The first field of a name. */
  field(name: string): string | undefined {
    for (const part of this.parts) if (part.name === name && 'value' in part) return part.value
    return undefined
  }

  /** Its files. */
  get files(): Extract<FormPart, { content: FormContent }>[] {
    return this.parts.filter((part) => 'content' in part)
  }
}

/** The form with parameters of a target in the place of its fields of their names; null takes one out. */
export function withParams(
  form: Form,
  params: Readonly<Record<string, unknown>> | undefined
): Form {
  if (params === undefined) return form
  const { parts } = form
  const kept = parts.filter((part) => 'content' in part || !Object.hasOwn(params, part.name))
  const said: FormPart[] = []
  for (const [name, value] of Object.entries(params))
    if (value !== null && value !== undefined)
      said.push({ name, value: typeof value === 'string' ? value : JSON.stringify(value) })
  return new Form([...said, ...kept])
}

/** The form as a JSON object, for people: of files it says what they are. */
export function describeForm({ parts }: Form): Uint8Array {
  const members = new Map<string, unknown[]>()
  for (const part of parts) {
    const told =
      'value' in part
        ? part.value
        : { filename: part.filename, type: part.contentType, bytes: part.content.length }
    members.set(part.name, [...(members.get(part.name) ?? []), told])
  }
  const entries = [...members].map(([name, [first, ...more]]) => [
    name,
    more.length > 0 ? [first, ...more] : first,
  ])
  return encoder.encode(JSON.stringify(Object.fromEntries(entries)))
}

/** A form on its way to an upstream: as often as it is sent. */
export type FormBody = {
  readonly contentType: string
  readonly length: number
  /** From its beginning, piece by piece as they are asked for; `onTake` is told of each. */
  stream(onTake?: () => void): ReadableStream<Uint8Array>
}

const encoder = new TextEncoder()

/** The form with some fields said, or said anew, `undefined` for not at all; its files as they came, byte for byte. */
export function renderForm(
  { parts }: Form,
  said: Readonly<Record<string, string | undefined>>
): FormBody {
  const boundary = `tollgate-${crypto.randomUUID()}`
  const pieces: (Uint8Array | FormContent)[] = []
  for (const [name, value] of Object.entries(said))
    if (value !== undefined && !parts.some((part) => part.name === name))
      pieces.push(encoder.encode(`--${boundary}\r\n${headOf({ name, value })}\r\n\r\n${value}\r\n`))
  for (const part of parts) {
    const value =
      'value' in part ? (Object.hasOwn(said, part.name) ? said[part.name] : part.value) : ''
    if (value === undefined) continue
    pieces.push(encoder.encode(`--${boundary}\r\n${headOf(part)}\r\n\r\n`))
    pieces.push('content' in part ? part.content : encoder.encode(value))
    pieces.push(encoder.encode('\r\n'))
  }
  pieces.push(encoder.encode(`--${boundary}--\r\n`))
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: pieces.reduce((sum, { length }) => sum + length, 0),
    stream: (onTake) => toStream(pieces, onTake),
  }
}

function headOf(part: FormPart): string {
  const name = `content-disposition: form-data; name="${escape(part.name)}"`
  if ('value' in part) return name
  return `${name}; filename="${escape(part.filename)}"\r\ncontent-type: ${part.contentType.replaceAll(/[\r\n]/g, '')}`
}

/** As browsers do: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data */
function escape(text: string): string {
  return text.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** One piece at a time, as fast as it is taken. */
function toStream(
  pieces: readonly (Uint8Array | FormContent)[],
  onTake: (() => void) | undefined
): ReadableStream<Uint8Array> {
  const reading = readAll(pieces)
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        onTake?.()
        const { done, value } = await reading.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await reading.return(undefined)
      },
    },
    { highWaterMark: 0 }
  )
}

async function* readAll(
  pieces: readonly (Uint8Array | FormContent)[]
): AsyncGenerator<Uint8Array, undefined, undefined> {
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) yield piece
    else yield* piece.read()
  }
  return undefined
}
