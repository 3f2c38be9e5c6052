import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { version } from '../std/version'
import { EXIT } from './command-line'
import { runCommandLine } from './program'

const directory = mkdtempSync(join(tmpdir(), 'tollgate-program-'))

afterAll(() => rmSync(directory, { recursive: true }))

async function run(...args: string[]) {
  const out: string[] = []
  const error: string[] = []
  const exitCode = await runCommandLine(args, {
    out: (line) => out.push(line),
    error: (line) => error.push(line),
  })
  return { exitCode, out: out.join('\n'), error: error.join('\n') }
}

const right =
  'providers: { local: { type: openai, base_url: "http://127.0.0.1:9/v1", api_key: none } }'

function writeConfiguration(text: string): string {
  const file = join(directory, `${Bun.randomUUIDv7()}.yaml`)
  writeFileSync(file, text)
  return file
}

describe('the command line', () => {
  const commands = [
    'serve',
    'demo',
    'simulate',
    'check',
    'keys',
    'logs',
    'requests',
    'alerts',
    'version',
  ]

  test('help names every command', async () => {
    const { exitCode, out } = await run('--help')
    expect(exitCode).toBe(EXIT.ok)
    for (const command of commands) expect(out).toContain(`\n  ${command} `)
  })

  test.each(commands)('%s has help', async (command) => {
    const { exitCode, out } = await run(command, '--help')
    expect(exitCode).toBe(EXIT.ok)
    expect(out).toContain(`Usage: tollgate ${command}`)
  })

  test('nothing at all is answered with help and the code of a wrong command line', async () => {
    const { exitCode, error } = await run()
    expect(exitCode).toBe(EXIT.usage)
    expect(error).toContain('Usage: tollgate')
  })

  test.each([
    { args: ['simulte'], message: "unknown command 'simulte'", nearest: 'simulate' },
    { args: ['keys', 'crate'], message: "unknown command 'crate'", nearest: 'create' },
    { args: ['serve', '--prot', '1'], message: "unknown option '--prot'", nearest: '--port' },
    { args: ['check', '--shema'], message: "unknown option '--shema'", nearest: '--schema' },
  ])('$args is refused with what was probably meant', async ({ args, message, nearest }) => {
    const { exitCode, error } = await run(...args)
    expect(exitCode).toBe(EXIT.usage)
    expect(error).toContain(message)
    expect(error).toContain(nearest)
  })

  test.each(['-1', '65536', '80a', '8_0', '1e3', ' '])('port %p is refused', async (port) => {
    const { exitCode, error } = await run('serve', '--port', port)
    expect(exitCode).toBe(EXIT.usage)
    expect(error).toContain('0 to 65535')
  })

  test('version is told to people and to scripts', async () => {
    expect((await run('version')).out).toContain(`tollgate ${version} `)
    expect((await run('--version')).out).toBe(version)
    const { out } = await run('version', '--json')
    expect(JSON.parse(out)).toMatchObject({ version, bun: Bun.version, platform: process.platform })
  })
})

describe('check', () => {
  test('a right file is summed up', async () => {
    const file = writeConfiguration(`server: { port: 8123 }\n${right}\n`)
    const { exitCode, out, error } = await run('check', file)
    expect({ exitCode, error }).toEqual({ exitCode: EXIT.ok, error: '' })
    expect(out).toContain('http://127.0.0.1:8123')
    expect(out).toContain('local: http://127.0.0.1:9/v1, without a key')
    const asJson = JSON.parse((await run('check', file, '--json')).out)
    expect(asJson).toMatchObject({
      ok: true,
      address: 'http://127.0.0.1:8123',
      providers: [{ name: 'local', base_url: 'http://127.0.0.1:9/v1', has_api_key: false }],
    })
  })

  test('credentials are told by their names', async () => {
    const key = writeConfiguration('sk-of-the-test')
    const credentials = `[{ api_key: "\${file:${key}}" }, { name: b, azure: {}, account: z, weight: 2, models: [gpt-*] }]`
    const file = writeConfiguration(
      `providers: { azure: { account: y, credentials: ${credentials} } }`
    )
    const { out, error } = await run('check', file)
    expect(error).toBe('')
    expect(out).toContain('2 credentials\n    1: api_key, weight 1\n    b: azure, at https://z.')
    expect(out).toContain('weight 2, for gpt-*')
    expect(out).not.toContain('sk-of')
    expect(JSON.parse((await run('check', file, '--json')).out)).toMatchObject({
      providers: [
        {
          credentials: [
            { name: '1', kind: 'api_key' },
            { name: 'b', kind: 'azure' },
          ],
        },
      ],
    })
  })

  test('a wrong file has its problems told, and a code of its own', async () => {
    const file = writeConfiguration(`server: { prot: 8123 }\n${right}\n`)
    const { exitCode, out, error } = await run('check', file)
    expect({ exitCode, out }).toEqual({ exitCode: EXIT.configuration, out: '' })
    expect(error).toContain(`${file}:1:`)
    expect(error).toContain('server.prot')
    const asJson = await run('check', file, '--json')
    expect(asJson.exitCode).toBe(EXIT.configuration)
    expect(JSON.parse(asJson.out)).toMatchObject({
      ok: false,
      problems: [{ path: 'server.prot', line: 1, nearest: 'port' }],
    })
  })

  test('the JSON Schema knows the fields of the file', async () => {
    const { exitCode, out } = await run('check', '--schema')
    expect(exitCode).toBe(EXIT.ok)
    expect(Object.keys(JSON.parse(out).properties)).toContainValues(['server', 'keys', 'providers'])
  })

  test('without a file it says what it needs', async () => {
    const { exitCode, error } = await run('check')
    expect(exitCode).toBe(EXIT.usage)
    expect(error).toContain('--schema')
  })
})

describe('the executable', () => {
  const main = join(import.meta.dir, '..', 'main.ts')
  const start = (...args: string[]) =>
    Bun.spawn([process.execPath, main, ...args], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })

  test('what it prints is whole on a pipe, and its exit code is the one of the command', async () => {
    const schema = start('check', '--schema')
    const text = await schema.stdout.text()
    expect(JSON.parse(text).title).toBe('Tollgate configuration')
    expect(await schema.exited).toBe(EXIT.ok)
    expect(await start('simulte').exited).toBe(EXIT.usage)
  })

  test('serve ends with the code of a refused configuration, without a restart', async () => {
    const serve = start(
      'serve',
      '--config',
      writeConfiguration('nonsense: 1\n'),
      '--data',
      directory
    )
    expect(await serve.exited).toBe(EXIT.configuration)
    const text = await serve.stderr.text()
    expect(text.split('nonsense is not').length).toBe(2)
  })

  test('serve on a port that is taken ends with a code of its own, without a restart', async () => {
    // Bun would share a port with another that shares it, and take every other of its connections.
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      reusePort: true,
      fetch: () => new Response(),
    })
    const options = ['--config', writeConfiguration(right), '--data', join(directory, 'taken')]
    const serve = start('serve', ...options, '--port', String(server.port))
    expect(await serve.exited).toBe(EXIT.address)
    expect(await serve.stderr.text()).toContain(`can't listen on 127.0.0.1:${server.port}`)
    await server.stop(true)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('simulate answers until %s', async (signal) => {
    const simulate = start('simulate', '--port', '0', '--json')
    const { value } = await simulate.stdout.getReader().read()
    const { url, faults } = JSON.parse(new TextDecoder().decode(value))
    expect(faults).toContainEqual({ model: 'fault-error-429', summary: expect.any(String) })
    expect((await fetch(`${url}/v1/models`)).status).toBe(200)
    simulate.kill(signal)
    expect(await simulate.exited).toBe(EXIT.ok)
  })

  test('simulate on a port that is taken ends with a code of its own', async () => {
    const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
    const simulate = start('simulate', '--port', String(server.port))
    expect(await simulate.exited).toBe(EXIT.address)
    expect(await simulate.stderr.text()).toContain(`can't listen on 127.0.0.1:${server.port}`)
    await server.stop(true)
  })
})
