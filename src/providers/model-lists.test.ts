import { afterEach, describe, expect, test } from 'bun:test'

import { createTicker } from '../std/ticker'
import { providerConfiguration } from './fixtures/configuration'
import { keepModelLists, type ListedModel } from './model-lists'
import { createProvider } from './provider'
import { createSender } from './send'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** What becomes of a host's first answer: its list, or what was wrong with it. */
async function listOf(answer: (request: Request) => Response, modelList = true) {
  const asked: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      asked.push(`${request.method} ${new URL(request.url).pathname}`)
      return answer(request)
    },
  })
  const ticker = createTicker()
  const { promise, resolve } = Promise.withResolvers<ListedModel[] | string>()
  const baseUrl = `http://127.0.0.1:${server.port}/v1`
  const stop = keepModelLists({
    providers: [
      createProvider(
        providerConfiguration({
          baseUrl,
          modelList: modelList ? { path: '/models', shape: 'openai' } : undefined,
          apiKey: 'sk-host',
        })
      ),
    ],
    sender: createSender(),
    ticker,
    onList: (_, models) => resolve(models),
    onFailure: (_, { code, message }) => resolve(`${code}: ${message}`),
  })
  cleanUps.push(stop, ticker.stop, () => server.stop(true))
  return { list: modelList ? await promise : undefined, asked }
}

describe('keepModelLists', () => {
  test('asks the host with its credential, by GET', async () => {
    const { list, asked } = await listOf((request) =>
      Response.json({ data: [{ id: request.headers.get('authorization') }] })
    )
    expect(asked).toEqual(['GET /v1/models'])
    expect(list).toEqual([{ id: 'Bearer sk-host', created: 0 }])
  })

  test('reads OpenAI’s shape and the bare list, and leaves out what has no name', async () => {
    const rows = [{ id: 'a', created: 5 }, { id: '' }, { name: 'b' }, 'c', null, { id: 'd' }]
    const wanted = [
      { id: 'a', created: 5 },
      { id: 'd', created: 0 },
    ]
    expect((await listOf(() => Response.json({ object: 'list', data: rows }))).list).toEqual(wanted)
    expect((await listOf(() => Response.json(rows))).list).toEqual(wanted)
  })

  test.each<[() => Response, string]>([
    [() => new Response('no', { status: 404 }), 'upstream_refused: GET /models answered 404'],
    [() => new Response('<html>'), 'upstream_malformed'],
    [() => Response.json({ models: [] }), 'upstream_malformed'],
    [() => Response.redirect('/elsewhere', 302), 'upstream_refused: GET /models answered 302'],
    [() => new Response(new Uint8Array(9 << 20)), 'upstream_too_large'],
  ])('tells of an answer that is none (%#)', async (answer, problem) => {
    expect((await listOf(answer)).list).toStartWith(problem)
  })

  test('asks no host that is not to be asked', async () => {
    const { asked } = await listOf(() => Response.json([]), false)
    await Bun.sleep(50)
    expect(asked).toEqual([])
  })
})
