import { afterAll, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConfigurationOptions,
  loadConfiguration,
  parseConfiguration,
} from './load-configuration'
import { renderProblems } from './problem'
import type { ProviderRow } from './provider-row'

const directory = mkdtempSync(join(tmpdir(), 'tollgate-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const OPENAI: ProviderRow = {
  name: 'openai',
  title: 'OpenAI',
  family: 'openai',
  baseUrl: 'https://api.openai.example/v1',
  apiKeyEnv: 'OPENAI_API_KEY',
  local: false,
  protocols: ['openai-chat', 'openai-embeddings'],
  quirks: { includeUsage: true },
  models: ['gpt-4o-mini'],
  documentUrl: 'https://openai.example',
  checked: '2026-11-22',
}
const PICKY: ProviderRow = {
  ...OPENAI,
  name: 'picky',
  apiKeyEnv: 'PICKY_API_KEY',
  quirks: { includeUsage: false },
}
const LOCAL: ProviderRow = {
  ...OPENAI,
  name: 'vllm',
  baseUrl: 'http://127.0.0.1:8000/v1',
  apiKeyEnv: 'VLLM_API_KEY',
  local: true,
  models: [],
}
const ROWS = [OPENAI, PICKY, LOCAL]
const ENV = { OPENAI_API_KEY: 'sk-from-env', EXTRA: 'blue' }

function parse(text: string, options: Partial<ConfigurationOptions & { name: string }> = {}) {
  return parseConfiguration(text, {
    name: 'tollgate.yaml',
    directory,
    env: ENV,
    overrides: {},
    rows: ROWS,
    ...options,
  })
}

async function configurationOf(...given: Parameters<typeof parse>) {
  const result = await parse(...given)
  if (!result.ok) throw new Error(renderProblems(result.problems))
  return result.configuration
}

async function problemsOf(...given: Parameters<typeof parse>) {
  const result = await parse(...given)
  if (result.ok) throw new Error('the configuration was accepted')
  return result.problems
}

async function providerOf(fields: string, env: ConfigurationOptions['env'] = ENV) {
  const { providers } = await configurationOf(`providers: { ${fields} }`, { env })
  const [provider] = providers
  if (provider === undefined) throw new Error('no provider')
  return provider
}

describe('without a file', () => {
  const load = (env: ConfigurationOptions['env'], overrides = {}) =>
    loadConfiguration({ file: undefined, env, overrides, rows: ROWS })

  test('each catalog provider whose variable is set is served, with the defaults', async () => {
    const result = await load({ OPENAI_API_KEY: 'sk-1', PICKY_API_KEY: '', VLLM_API_KEY: 'v' })
    if (!result.ok) throw new Error(renderProblems(result.problems))
    expect(result.source).toBe('environment')
    expect(result.configuration.providers.map(({ name, apiKey }) => [name, apiKey])).toEqual([
      ['openai', 'sk-1'],
      ['vllm', 'v'],
    ])
    expect(result.configuration.server).toEqual({
      host: '127.0.0.1',
      port: 8080,
      tls: undefined,
      behindProxy: false,
      maxBodyBytes: 32_000_000,
      maxUploadBytes: 512_000_000,
      maxBodiesBytes: 512_000_000,
      maxInFlight: 8192,
      ...{ headHoldMs: 15_000, heartbeatMs: 15_000, clientStallMs: 60_000 },
      ...{ warmConnections: true, fetchImages: true },
      drain: { readinessDelayMs: 0, limitMs: 30_000 },
    })
    expect(result.configuration.keys).toEqual({ required: false })
    expect(result.configuration.log).toEqual({
      bodies: 'off',
      maxBodyBytes: 64_000,
      retention: { ageMs: 2_592_000_000, sizeBytes: 10_000_000_000 },
      refusedRowsPerSecond: 50,
      whenDiskFull: 'refuse',
    })
  })

  test('no variable at all is a problem that names them', async () => {
    const result = await load({ HOME: '/' })
    if (result.ok) throw new Error('accepted')
    expect(result.problems).toHaveLength(1)
    expect(result.problems[0]?.fix).toContain('OPENAI_API_KEY, PICKY_API_KEY, VLLM_API_KEY')
  })

  test('options choose address and port, and are blamed for what they say', async () => {
    const chosen = await load(ENV, { host: '::1', port: 0 })
    expect(chosen).toMatchObject({ ok: true, configuration: { server: { host: '::1', port: 0 } } })
    const refused = await load(ENV, { port: 70_000 })
    expect(refused).toMatchObject({
      ok: false,
      problems: [{ source: '--port or TOLLGATE_PORT', path: 'server.port', found: '70000' }],
    })
  })
})

describe('a file', () => {
  const yaml = `
server: { port: 9000, max_body: 1MiB, drain: { limit: 1m } }
keys: { required: true }
log:
  bodies: off
providers:
  openai: {}
`
  const json = JSON.stringify({
    server: { port: 9000, max_body: '1MiB', drain: { limit: '1m' } },
    keys: { required: true },
    log: { bodies: 'off' },
    providers: { openai: {} },
  })

  test.each([
    ['tollgate.yaml', yaml],
    ['tollgate.json', json],
    ['tollgate.yaml', json],
  ])('says the same as YAML and as JSON: %s', async (name, text) => {
    expect(await configurationOf(text, { name })).toMatchObject({
      server: {
        port: 9000,
        maxBodyBytes: 1_048_576,
        drain: { readinessDelayMs: 0, limitMs: 60_000 },
      },
      keys: { required: true },
      log: { bodies: 'off' },
      providers: [{ name: 'openai', apiKey: 'sk-from-env' }],
    })
  })

  test.each(['', '# nothing yet\n', '{}', 'keys: { required: true }'])(
    'without providers serves those of the environment: %p',
    async (text) => {
      const { providers } = await configurationOf(text)
      expect(providers.map(({ name }) => name)).toEqual(['openai'])
    }
  )

  test('with providers serves only those', async () => {
    const { providers } = await configurationOf('providers: { vllm: {} }')
    expect(providers.map(({ name }) => name)).toEqual(['vllm'])
  })

  test('may use anchors', async () => {
    const { providers } = await configurationOf(`
providers:
  openai: { deadlines: &slow { total: 1h } }
  vllm: { deadlines: *slow }
`)
    expect(providers.map(({ deadlines }) => deadlines.totalMs)).toEqual([3_600_000, 3_600_000])
  })

  test('gives a configuration that nothing can change', async () => {
    const { server, providers } = await configurationOf(yaml)
    expect(() => Object.assign(server.drain, { limitMs: 1 })).toThrow()
    expect(() => Object.assign(providers[0]?.headers ?? {}, { a: 'b' })).toThrow()
  })

  test('that is not there is a problem', async () => {
    const file = join(directory, 'missing.yaml')
    const result = await loadConfiguration({ file, env: ENV, overrides: {}, rows: ROWS })
    expect(result).toMatchObject({
      ok: false,
      problems: [{ source: file, message: 'does not exist' }],
    })
  })
})

describe('a provider', () => {
  test('takes from the catalog what it does not say', async () => {
    expect(await providerOf('openai: {}')).toEqual({
      name: 'openai',
      family: 'openai',
      baseUrl: 'https://api.openai.example/v1',
      apiKey: 'sk-from-env',
      passesCallerKey: false,
      models: ['gpt-4o-mini'],
      ...{ catalogName: 'openai', apiKeyPlace: undefined, identity: undefined, region: undefined },
      ...{ aliases: {}, credentials: [], modelFormats: [], paths: {}, headers: {} },
      ...{ modelList: { path: '/models', shape: 'openai' }, proxy: undefined, caPem: undefined },
      deadlines: {
        connectMs: 10_000,
        firstByteMs: 300_000,
        betweenFramesMs: 120_000,
        totalMs: 1_800_000,
      },
      privateAddresses: false,
      ...{ probe: undefined, passthrough: { isEnabled: true, paths: [], priceNanoUsd: undefined } },
      retryOnReset: true,
      includeUsage: true,
      quirks: { includeUsage: true },
      protocols: ['openai-chat', 'openai-embeddings'],
      anthropicBeta: ['*'],
      cachePrompts: undefined,
    })
  })

  test('may be any compatible host, which inherits nothing of the maker', async () => {
    const host = 'mine: { type: openai, base_url: "http://10.0.0.7:9001/v1/", api_key: none }'
    expect(await providerOf(host)).toMatchObject({
      name: 'mine',
      baseUrl: 'http://10.0.0.7:9001/v1',
      apiKey: undefined,
      models: [],
      privateAddresses: true,
    })
  })

  test('with another address is not sent the key of the environment unasked', async () => {
    const problems = await problemsOf(
      'providers: { mine: { type: openai, base_url: "http://h/v1" } }'
    )
    expect(problems).toMatchObject([{ path: 'providers.mine.api_key', message: 'is missing' }])
  })

  test('may be a second account with a known host', async () => {
    const second = 'second: { type: picky, api_key: "${OPENAI_API_KEY}", models: [a, gpt-4o-mini] }'
    expect(await providerOf(second)).toMatchObject({
      name: 'second',
      apiKey: 'sk-from-env',
      includeUsage: false,
      models: ['a', 'gpt-4o-mini'],
    })
  })

  test('on this machine needs no key, and may be at a private address', async () => {
    expect(await providerOf('vllm: {}', {})).toMatchObject({
      apiKey: undefined,
      privateAddresses: true,
    })
  })

  test('says for itself what would follow from its address', async () => {
    const provider = 'vllm: { private_addresses: false, include_usage: false, model_list: false }'
    expect(await providerOf(provider)).toMatchObject({
      privateAddresses: false,
      includeUsage: false,
      modelList: undefined,
    })
  })

  test('has extra headers, with references anywhere in them', async () => {
    const provider = 'openai: { headers: { X-Team: "a-${EXTRA}-${EXTRA}", x-plain: v } }'
    const { headers } = await providerOf(provider)
    expect(headers).toEqual({ 'x-team': 'a-blue-blue', 'x-plain': 'v' })
  })

  test.each<[string, string, Record<string, string>, string | undefined]>([
    ['none', 'openai: { proxy: none }', { HTTPS_PROXY: 'http://p:1' }, undefined],
    ['given', 'openai: { proxy: "http://${EXTRA}:3128" }', {}, 'http://blue:3128'],
    ['of the environment', 'openai: {}', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['of the other scheme', 'openai: {}', { HTTP_PROXY: 'http://p:1' }, undefined],
    [
      'excepted',
      'openai: {}',
      { https_proxy: 'http://p:1', NO_PROXY: 'x, .openai.example' },
      undefined,
    ],
    ['never for this machine', 'vllm: {}', { HTTP_PROXY: 'http://p:1' }, undefined],
  ])('proxy: %s', async (_, provider, env, proxy) => {
    expect((await providerOf(provider, { ...ENV, ...env })).proxy).toBe(proxy)
  })
})

describe('secrets', () => {
  test('in files are read again on each load, without their newline', async () => {
    const path = join(directory, 'key')
    const file = join(directory, 'secrets.yaml')
    writeFileSync(file, 'providers:\n  openai:\n    api_key: ${file:key}\n')
    const load = async () => {
      const result = await loadConfiguration({ file, env: {}, overrides: {}, rows: ROWS })
      return result.ok ? result.configuration.providers[0]?.apiKey : renderProblems(result.problems)
    }
    writeFileSync(path, 'first\n')
    expect(await load()).toBe('first')
    writeFileSync(path, 'second\r\n')
    expect(await load()).toBe('second')
    writeFileSync(path, '\n')
    expect(await load()).toContain('refers to the file key, which is empty')
    writeFileSync(path, 'x'.repeat(70_000))
    expect(await load()).toContain('which is larger than 65536 bytes')
    rmSync(path)
    expect(await load()).toContain('refers to the file key, which does not exist')
  })

  test.each([
    'providers:\n  openai:\n    api_key: sk-HIDDEN\n',
    'providers:\n  openai:\n    api_kye: sk-HIDDEN\n',
    'providers:\n  openai: { api_key: sk-HIDDEN, bogus: sk-HIDDEN }\n',
    'providers:\n  openai: sk-HIDDEN\n',
    'providers: sk-HIDDEN\n',
    'sk-HIDDEN\n',
    'server: sk-HIDDEN\n',
    'providers:\n  openai:\n    api_key: [sk-HIDDEN]\n',
    'providers:\n  openai:\n    models: sk-HIDDEN\n',
    'providers:\n  openai:\n    base_url: sk-HIDDEN\n',
    'providers:\n  openai:\n    base_url: https://user:HIDDEN@host/v1\n',
    'providers:\n  openai:\n    proxy: http://user:HIDDEN@host:1\n',
    'providers:\n  openai:\n    headers: HIDDEN\n',
    'providers:\n  openai:\n    headers: { authorization: HIDDEN }\n',
    'providers:\n  openai:\n    api_key: "sk-HIDDEN\n',
    'providers:\n  openai:\n    api_key: a: sk-HIDDEN\n',
    '{"providers": {"openai": {"api_key": "sk-HIDDEN"}}, }',
    'server:\n  tls:\n    key: HIDDEN\n    cert: HIDDEN\n',
  ])('never stand in a problem: %p', async (text) => {
    const problems = await problemsOf(text)
    expect(problems.length).toBeGreaterThan(0)
    expect(renderProblems(problems) + JSON.stringify(problems)).not.toContain('HIDDEN')
  })

  test('with line breaks can stand in no header', async () => {
    const [problem] = await problemsOf('', { env: { OPENAI_API_KEY: 'a\r\nx-evil: 1' } })
    expect(problem?.message).toContain('line breaks')
  })
})

describe('certificates', () => {
  const tls = 'server: { tls: { cert: cert.pem, key: key.pem } }'
  const write = (name: string, text: string) => writeFileSync(join(directory, name), text)
  const makePair = (name: string) => {
    const made = Bun.spawnSync(
      ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
        .concat(['-keyout', `${name}-key.pem`, '-out', `${name}-cert.pem`, '-days', '2'])
        .concat(['-subj', '/CN=localhost']),
      { cwd: directory }
    )
    if (!made.success) throw new Error(made.stderr.toString())
    const read = (part: string) => Bun.file(join(directory, `${name}-${part}.pem`)).text()
    return Promise.all([read('cert'), read('key')])
  }

  test.skipIf(Bun.which('openssl') === null)('are read, and must fit their key', async () => {
    const [[cert, key], [, otherKey]] = await Promise.all([makePair('one'), makePair('two')])
    write('cert.pem', cert)
    write('key.pem', key)
    const { server } = await configurationOf(tls)
    expect(server.tls).toEqual({ certPem: cert, keyPem: key })

    write('key.pem', otherKey)
    const [problem] = await problemsOf(tls)
    expect(problem).toMatchObject({
      path: 'server.tls.key',
      message: 'names a private key that is not the one of server.tls.cert',
    })

    const { providers } = await configurationOf('providers: { openai: { ca: cert.pem } }')
    expect(providers[0]?.caPem).toBe(cert)
  })

  test('that are missing or no PEM are problems', async () => {
    write('cert.pem', 'nothing')
    write('key.pem', 'nothing')
    expect(await problemsOf(tls)).toMatchObject([{ path: 'server.tls.cert', line: 1 }])
    const [missing, absentKey] = await problemsOf(
      'server:\n  tls:\n    cert: a.pem\n    key: b.pem\n'
    )
    expect(missing).toMatchObject({ line: 3, message: 'names a file that does not exist' })
    expect(absentKey).toMatchObject({ line: 4, path: 'server.tls.key' })
    const [ca] = await problemsOf('providers: { openai: { ca: cert.pem } }')
    expect(ca?.message).toBe('names a file without a PEM certificate')
  })

  test.skipIf(process.getuid?.() === 0)('that may not be read are problems', async () => {
    write('secret.pem', 'x')
    chmodSync(join(directory, 'secret.pem'), 0)
    const [problem] = await problemsOf('providers: { openai: { ca: secret.pem } }')
    expect(problem?.message).toContain('may not be read by this user')
  })
})
