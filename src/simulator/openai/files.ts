import { stringOf } from '../../std/record'
import { CREATED_SECONDS } from '../created'
import type { StoredFile } from '../object-store'
import type { Answer, Asked, Call, Endpoint } from '../protocol'
import { refuse } from './endpoint'

const PATH = /^\/v1\/files(?:\/([^/]+)(\/content)?)?$/

/** `/v1/files`, in OpenAI's shape or, by its header, Anthropic's: files are kept in memory, for each credential its own. */
export function findFiles({ pathname, method, headers }: Asked): Endpoint | undefined {
  const [found, id, content] = PATH.exec(pathname) ?? []
  if (found === undefined) return undefined
  const isAnthropic = headers.has('anthropic-version')
  const show = isAnthropic ? toAnthropic : toOpenai
  if (id === undefined)
    return method === 'POST' ? uploading(isAnthropic) : listing((file) => show(file))
  if (content !== undefined) return reading(id, (file) => toContent(file))
  if (method === 'DELETE')
    return {
      ...reading(id, (file, call) => {
        call.objects.removeFile(file.id)
        return whole(
          isAnthropic
            ? { id: file.id, type: 'file_deleted' }
            : { id: file.id, object: 'file', deleted: true }
        )
      }),
      method: 'DELETE',
    }
  return reading(id, (file) => whole(show(file)))
}

function uploading(isAnthropic: boolean): Endpoint {
  return {
    method: 'POST',
    model: () => '',
    answer({ form, objects, credential }) {
      const [file] = form?.files ?? []
      const purpose = stringOf(form?.fields, 'purpose') ?? 'user_data'
      if (file === undefined) return refuse('No file was sent.', 'file')
      const { name: filename, bytes } = file
      const added = objects.addFile(
        { filename, bytes, purpose, credential },
        isAnthropic ? 'file_sim' : 'file-sim'
      )
      return whole(isAnthropic ? toAnthropic(added) : toOpenai(added))
    },
  }
}

function listing(show: (file: StoredFile) => object): Endpoint {
  return {
    method: 'GET',
    model: () => '',
    answer: ({ objects, credential }) =>
      whole({ object: 'list', data: objects.files(credential).map(show), has_more: false }),
  }
}

function reading(id: string, answer: (file: StoredFile, call: Call) => Answer): Endpoint {
  return {
    method: 'GET',
    model: () => '',
    answer(call) {
      const file = call.objects.file(id, call.credential)
      if (file) return answer(file, call)
      const message = `No such File object: ${id}`
      return { kind: 'refused', failure: { status: 404, code: null, message, param: 'id' } }
    },
  }
}

const toContent = ({ bytes }: StoredFile): Answer => ({
  ...{ kind: 'file', bytes, type: 'application/octet-stream' },
})

function toOpenai({ id, bytes, filename, purpose }: StoredFile) {
  return {
    ...{ id, object: 'file', bytes: bytes.length, created_at: CREATED_SECONDS },
    ...{ filename, purpose, status: 'processed' },
  }
}

function toAnthropic({ id, bytes, filename }: StoredFile) {
  return {
    ...{ id, type: 'file', filename, mime_type: 'application/octet-stream' },
    ...{ size_bytes: bytes.length, created_at: '2026-01-01T00:00:00Z', downloadable: true },
  }
}

const whole = (body: object): Answer => ({ kind: 'whole', text: JSON.stringify(body), tokens: 1 })
