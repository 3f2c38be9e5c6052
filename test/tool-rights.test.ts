import { afterEach, expect, test } from 'bun:test'
import { runCommandLine } from '../src/cli/program'
import { stringOf } from '../src/std/record'
import { type Harness, startHarness, until } from './harness'

let harness: Harness | undefined
afterEach(async () => {
  await harness?.stop()
  harness = undefined
})

async function makeKey({ directory, gateway }: Harness, ...options: string[]) {
  const lines: string[] = []
  const output = { out: (line: string) => void lines.push(line), error: () => {} }
  const made = ['keys', 'create', ...options, '--json', '--data', directory.path]
  expect(await runCommandLine(made, output)).toBe(0)
  const headers = { authorization: `Bearer ${stringOf(JSON.parse(lines.join('')), 'key')}` }
  await until(async () => (await fetch(`${gateway.url}/v1/models`, { headers })).ok)
  return headers
}

const MESSAGES = [{ role: 'user', content: 'Hi' }]
const WEB_SEARCH = { type: 'web_search' }
const FUNCTION = { type: 'function', function: { name: 'lookup', parameters: {} } }

async function post(running: Harness, path: string, headers: Record<string, string>, body: object) {
  const answer = await fetch(`${running.gateway.url}${path}`, {
    ...{ method: 'POST', headers, body: JSON.stringify(body) },
  })
  const json: unknown = await answer.json()
  return { status: answer.status, json }
}

test('a key may use the tools of its lists, and is told level, rule and tool of the others', async () => {
  const running = (harness = await startHarness({ keys: { required: true } }))
  const app = await makeKey(running, '--name', 'app', '--tools', 'web_*,mcp.github')
  const chat = (tools: readonly object[], headers = app) =>
    post(running, '/v1/chat/completions', headers, { model: 'sim/m', messages: MESSAGES, tools })
  expect((await chat([FUNCTION])).status).toBe(200)
  expect((await chat([FUNCTION, WEB_SEARCH])).status).toBe(200)
  expect(await chat([FUNCTION, { type: 'code_interpreter' }])).toEqual({
    status: 403,
    json: {
      error: {
        message:
          "the key 'app' may not use the tool 'code_interpreter': its allow list of tools has only web_*, mcp.github",
        ...{ type: 'permission_error', param: 'tools', code: 'tool_not_allowed' },
      },
    },
  })
  const other = await makeKey(running, '--name', 'other')
  expect((await chat([{ type: 'code_interpreter' }], other)).status).toBe(200)
})

test('what a team denies is denied to its keys, in the shape of each client', async () => {
  const running = (harness = await startHarness({ keys: { required: true } }))
  const output = { out: () => {}, error: () => {} }
  const team = ['teams', 'create', '--name', 'red', '--deny-tools', 'web_search,mcp.*']
  expect(await runCommandLine([...team, '--data', running.directory.path], output)).toBe(0)
  const app = await makeKey(running, '--name', 'app', '--team', 'red')
  const message = "the team 'red' may not use the tool 'web_search'"
  const told = expect.stringContaining(message)
  const responses = await post(running, '/v1/responses', app, {
    ...{ model: 'sim/m', input: 'Hi', tools: [{ type: 'web_search_preview' }] },
  })
  expect(responses).toMatchObject({ status: 403, json: { error: { message: told } } })
  const messages = await post(running, '/v1/messages', app, {
    ...{ model: 'sim/m', max_tokens: 9, messages: MESSAGES },
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
  })
  expect(messages).toMatchObject({
    ...{ status: 403, json: { type: 'error', error: { type: 'permission_error', message: told } } },
  })
  const gemini = await post(running, '/v1beta/models/sim%2Fm:generateContent', app, {
    ...{ contents: [{ parts: [{ text: 'Hi' }] }], tools: [{ googleSearch: {} }] },
  })
  expect(gemini).toMatchObject({
    ...{ status: 403, json: { error: { status: 'PERMISSION_DENIED', message: told } } },
  })
  const remote = await post(running, '/v1/responses', app, {
    ...{ model: 'sim/m', input: 'Hi' },
    tools: [{ type: 'mcp', server_label: 'x', server_url: 'https://mcp.example' }],
  })
  expect(remote.status).toBe(403)
})
