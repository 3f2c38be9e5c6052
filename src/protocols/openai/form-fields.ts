import type { Form } from '../form'
import type { RequestRoute } from '../protocol'
import { invalid } from './request'

/** Fields that decide rights, the way of the answer or its price: one that stands twice could mean two things. */
const UNIQUE = ['model', 'stream', 'n', 'response_format'] as const

/** The model's name in a form or its path. Throws `invalid_request`, for other fields that stand twice too. */
export function readFormModel(form: Form, route: RequestRoute): string {
  for (const name of UNIQUE)
    if (form.parts.filter((part) => part.name === name).length > 1)
      throw invalid(name, 'must not stand twice')
  const model = route.model ?? form.field('model')
  if (model) return model
  throw invalid('model', 'must be a field of the form, e.g. "openai/whisper-1"')
}

/** Whether a stream is asked for. Forms have no types: OpenAI's SDKs write `true` and `false`. */
export function readFormStream(form: Form): boolean {
  const value = form.field('stream')?.toLowerCase() ?? 'false'
  if (value === 'false' || value === '0' || value === '') return false
  if (value === 'true' || value === '1') return true
  throw invalid('stream', 'must be true or false')
}
