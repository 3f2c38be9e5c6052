import { REDIRECT_PATH } from './faults'
import type { Recorder, RequestFilter } from './recorder'

const PREFIX = '/sim/'

/**
 * The simulator's own paths, which count as no request: `GET /sim/stats`, `GET /sim/requests` with
 * `?model=NAME` or `?header=NAME:VALUE`, `POST /sim/reset`, and where the redirect fault leads.
 */
export function answerIntrospection(
  method: string,
  url: URL,
  recorder: Recorder
): Response | undefined {
  if (!url.pathname.startsWith(PREFIX)) return undefined
  if (url.pathname === REDIRECT_PATH) {
    recorder.reachRedirect()
    return Response.json({ redirected: true })
  }
  switch (`${method} ${url.pathname}`) {
    case 'GET /sim/stats':
      return Response.json(recorder.stats())
    case 'GET /sim/requests':
      return Response.json(recorder.requests(readFilter(url.searchParams)))
    case 'POST /sim/reset':
      recorder.reset()
      return Response.json({ reset: true })
    default:
      return Response.json({ error: 'no such path or method' }, { status: 404 })
  }
}

function readFilter(query: URLSearchParams): RequestFilter {
  const filter: RequestFilter = {}
  const model = query.get('model')
  if (model !== null) filter.model = model
  const header = query.get('header')
  const colon = header?.indexOf(':') ?? -1
  if (header !== null && colon > 0)
    filter.header = { name: header.slice(0, colon), value: header.slice(colon + 1).trim() }
  return filter
}
