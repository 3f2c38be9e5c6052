import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const FIXTURE = join(import.meta.dir, 'fixtures', 'supervised.ts')

const eventSchema = z.looseObject({
  event: z.string(),
  pid: z.number().optional(),
  port: z.number().optional(),
  delayMs: z.number().optional(),
  signal: z.string().optional(),
  message: z.string().optional(),
  settings: z.record(z.string(), z.string()).optional(),
})

type SupervisedEvent = z.infer<typeof eventSchema>

type Supervised = {
  kill(signal: NodeJS.Signals): void
  exited: Promise<number>
  /** All events so far. */
  events: SupervisedEvent[]
  /** Waits for the next event of that name, from where the last wait ended. */
  next(name: string): Promise<SupervisedEvent>
}

const running: Bun.Subprocess[] = []

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

function startSupervised(behaviour: string, backOff: string = '{}'): Supervised {
  const child = Bun.spawn([process.execPath, FIXTURE, behaviour, backOff], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  running.push(child)
  const events: SupervisedEvent[] = []
  let read = 0
  let wake = Promise.withResolvers<void>()
  const reading = readLines(child.stdout, (line) => {
    events.push(eventSchema.parse(JSON.parse(line)))
    wake.resolve()
    wake = Promise.withResolvers()
  })
  return {
    kill: (signal) => child.kill(signal),
    exited: Promise.all([child.exited, reading]).then(([exitCode]) => exitCode),
    events,
    async next(name) {
      while (true) {
        while (read < events.length) {
          const event = events[read++]
          if (event?.event === name) return event
        }
        await wake.promise
      }
    },
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
  }
}

const names = (events: SupervisedEvent[]) => events.map(({ event }) => event)

async function isListening(port: number | undefined): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}`).then(
    (response) => response.ok,
    () => false
  )
}

async function waitUntilClosed(port: number | undefined): Promise<void> {
  while (await isListening(port)) await Bun.sleep(10)
}

describe('supervisor', () => {
  test.each([0, 2, 3, 4, 5])('exit code %d is final and becomes its own', async (exitCode) => {
    const supervised = startSupervised(`exit=${exitCode}`)
    expect(await supervised.exited).toBe(exitCode)
    expect(names(supervised.events)).toEqual(['start'])
  })

  test('a serving process that is killed is started again, and it says so', async () => {
    const supervised = startSupervised('serve')
    const first = await supervised.next('start')
    process.kill(first.pid ?? 0, 'SIGKILL')
    const notice = await supervised.next('notice')
    expect(notice.signal).toBe('SIGKILL')
    expect(notice.message).toContain('starting it again')
    const second = await supervised.next('start')
    expect(second.pid).not.toBe(first.pid)
    expect(await isListening(second.port)).toBe(true)
  })

  test('the wait before a restart doubles up to its limit', async () => {
    await withCounter(async (file) => {
      const supervised = startSupervised(`crash-until=${file},4`)
      for (let start = 0; start < 5; start++) await supervised.next('start')
      supervised.kill('SIGTERM')
      expect(await supervised.exited).toBe(0)
      expect(delays(supervised.events)).toEqual([1, 2, 4, 4])
    })
  })

  test('a process that was healthy for long enough starts the waits anew', async () => {
    await withCounter(async (file) => {
      const supervised = startSupervised(`crash-until=${file},3`, '{"healthyAfterMs":0}')
      for (let start = 0; start < 4; start++) await supervised.next('start')
      expect(delays(supervised.events)).toEqual([1, 1, 1])
    })
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s drains, once however often', async (signal) => {
    const supervised = startSupervised('serve')
    await supervised.next('start')
    supervised.kill(signal)
    await supervised.next('SIGTERM')
    supervised.kill(signal)
    expect(await supervised.exited).toBe(0)
    expect(names(supervised.events)).toEqual(['start', 'SIGTERM'])
  })

  test('the exit code of a drain that fails is passed on', async () => {
    const supervised = startSupervised('fail-to-drain')
    await supervised.next('start')
    supervised.kill('SIGTERM')
    expect(await supervised.exited).toBe(1)
    expect(names(supervised.events)).toEqual(['start', 'SIGTERM'])
  })

  test('SIGHUP reaches the serving process and ends nothing', async () => {
    const supervised = startSupervised('serve')
    const { port } = await supervised.next('start')
    supervised.kill('SIGHUP')
    await supervised.next('reload')
    expect(await isListening(port)).toBe(true)
  })

  test('SIGTERM between two starts ends it at once', async () => {
    const supervised = startSupervised('exit=1', '{"firstMs":3600000,"maxMs":3600000}')
    await supervised.next('notice')
    supervised.kill('SIGTERM')
    expect(await supervised.exited).toBe(0)
    expect(names(supervised.events)).toEqual(['start', 'notice'])
  })

  test('an executable that can not be started is tried again', async () => {
    const supervised = startSupervised('no-executable')
    await supervised.next('notice')
    const { signal, error } = await supervised.next('notice')
    expect({ signal, error }).toEqual({ signal: undefined, error: expect.any(Object) })
    supervised.kill('SIGTERM')
    expect(await supervised.exited).toBe(0)
  })

  test('kill -9 of the supervisor leaves no process and no open port behind', async () => {
    const supervised = startSupervised('serve')
    const { port } = await supervised.next('start')
    expect(await isListening(port)).toBe(true)
    supervised.kill('SIGKILL')
    await waitUntilClosed(port)
    // The pipe of its output closes with the last process that holds it.
    await supervised.exited
  })
})

describe('tollgate serve', () => {
  test('starts itself with its arguments and what Bun reads from the environment', async () => {
    const supervised = startSupervised('exit=3', 'serve')
    expect(await supervised.exited).toBe(3)
    expect(supervised.events[0]?.settings).toMatchObject({
      TOLLGATE_SERVING_PROCESS: '1',
      BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
      BUN_FEATURE_FLAG_EXPERIMENTAL_HTTP2_CLIENT: '1',
      BUN_FEATURE_FLAG_NO_ORPHANS: '1',
    })
  })
})

const delays = (events: SupervisedEvent[]) =>
  events.filter(({ event }) => event === 'notice').map(({ delayMs }) => delayMs)

async function withCounter(run: (file: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tollgate-supervisor-'))
  try {
    await run(join(directory, 'starts'))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
