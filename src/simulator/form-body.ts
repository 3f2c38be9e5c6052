import type { JsonObject } from '../protocols/json'

/** A file of a form, as endpoints see it. */
export type SentFile = {
  readonly field: string
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array
}

export type SentForm = { readonly fields: JsonObject; readonly files: readonly SentFile[] }

/** A body of multipart/form-data; `undefined` where it is none. */
export async function readForm(bytes: Uint8Array, type: string): Promise<SentForm | undefined> {
  if (!type.startsWith('multipart/form-data')) return undefined
  try {
    const form = await new Response(Buffer.from(bytes), {
      headers: { 'content-type': type },
    }).formData()
    const fields: JsonObject = {}
    const files: SentFile[] = []
    for (const [field, value] of form.entries()) {
      if (typeof value === 'string') fields[field] = value
      else files.push({ field, name: value.name, type: value.type, bytes: await value.bytes() })
    }
    return { fields, files }
  } catch {
    return undefined
  }
}
