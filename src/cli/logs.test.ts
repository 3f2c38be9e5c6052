import { describe, expect, test } from 'bun:test'
import { Command } from 'commander'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { DataDirectory } from '../db/data-directory'
import { makeDataDirectory } from '../telemetry/fixtures/log-directory'
import { attemptRecord, beginRecord, bodiesRecord, endRecord } from '../telemetry/fixtures/records'
import { createProgramLog } from '../telemetry/program-log'
import { createRequestLog } from '../telemetry/request-log'
import { CommandError, EXIT } from './command-line'
import { addLogsCommands } from './logs'
import { addRequestsCommands } from './requests'

const newIds = (count: number) => Array.from({ length: count }, () => Bun.randomUUIDv7())

function openLog({ logPath, journalPath }: DataDirectory) {
  return createRequestLog({
    ...{ logPath, journalPath },
    settings: {
      retention: { ageMs: 3_600_000, sizeBytes: 1 << 30 },
      ...{ refusedRowsPerSecond: 5, whenDiskFull: 'refuse' },
    },
    programLog: createProgramLog({ level: 'error' }),
  })
}

async function logRequests(directory: DataDirectory, ids: string[]): Promise<void> {
  const log = openLog(directory)
  for (const id of ids) {
    log.begin(beginRecord(id))
    log.attempt(attemptRecord(id))
    log.bodies(bodiesRecord(id, { answer: 'red \u001b[31m' }))
    log.end(endRecord(id))
  }
  await log.close()
}

/** Runs one command in this process and gives its lines. */
async function run(...args: string[]): Promise<string[]> {
  const lines: string[] = []
  const program = new Command('tollgate').exitOverride().configureOutput({ writeErr: () => {} })
  const output = { out: (line: string) => void lines.push(line), error: () => {} }
  addLogsCommands(program, output, {})
  addRequestsCommands(program, output, {})
  await program.parseAsync(args, { from: 'user' })
  return lines
}

const rowSchema = z.looseObject({ id: z.string() })
const idOf = (line: string) => rowSchema.parse(JSON.parse(line)).id

async function exitCodeOf(command: Promise<unknown>): Promise<number | undefined> {
  const error: unknown = await command.then(
    () => undefined,
    (reason: unknown) => reason
  )
  return error instanceof CommandError ? error.exitCode : undefined
}

describe('logs tail', () => {
  test('prints the newest as JSON, oldest first', async () => {
    const directory = makeDataDirectory()
    const ids = newIds(5)
    await logRequests(directory, ids)
    const data = ['--data', directory.path, '--no-follow', '--json']
    const lines = await run('logs', 'tail', ...data, '--limit', '2')
    expect(lines.map(idOf)).toEqual(ids.slice(-2))
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      ...{ status: 200, outcome: 'ok', key: 'app', model: 'local/small', cost_nano_usd: 3_750 },
      ...{ requested_model: 'local/small', input_tokens: 9, output_tokens: 4 },
      ...{ cache_write_tokens: null, attempts: [{ number: 1, status: 200, duration_ms: 40.5 }] },
    })
  })

  test('prints a line each for people, and nothing that moves their cursor', async () => {
    const directory = makeDataDirectory()
    const log = openLog(directory)
    const [id = ''] = newIds(1)
    log.begin(beginRecord(id, { requestedModel: 'bad\u001b[2J\nname' }))
    log.end(endRecord(id, { servedModel: undefined, status: 404, errorCode: 'model_not_found' }))
    await log.close()
    const lines = await run('logs', 'tail', '--no-follow', '--data', directory.path)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain('STATUS')
    expect(lines[1]).toContain('404')
    expect(lines[1]).toContain('bad?[2J?name')
    expect(lines[1]).toContain('model_not_found')
  })

  test('follows what comes', async () => {
    const directory = makeDataDirectory()
    const [before = '', after = '', last = ''] = newIds(3)
    await logRequests(directory, [before])
    const script = `
      const { Command } = require('commander')
      const { addLogsCommands } = require(${JSON.stringify(join(import.meta.dir, 'logs.ts'))})
      const program = new Command('tollgate')
      addLogsCommands(program, { out: console.log, error: console.error }, {})
      program.parseAsync(['logs', 'tail', '--json', '--data', ${JSON.stringify(directory.path)}], { from: 'user' })`
    const child = Bun.spawn([process.execPath, '-e', script], {
      cwd: join(import.meta.dir, '..', '..'),
      stdout: 'pipe',
      stderr: 'inherit',
    })
    const seen: string[] = []
    const decoder = new TextDecoder()
    let text = ''
    for await (const bytes of child.stdout) {
      text += decoder.decode(bytes, { stream: true })
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      seen.push(...lines.map(idOf))
      if (seen.at(-1) === before) await logRequests(directory, [after, last])
      if (seen.at(-1) === last) child.kill('SIGINT')
    }
    expect(seen).toEqual([before, after, last])
  })

  test('says that a directory has no log', async () => {
    const path = mkdtempSync(join(tmpdir(), 'tollgate-none-'))
    expect(await exitCodeOf(run('logs', 'tail', '--no-follow', '--data', path))).toBe(
      EXIT.dataDirectory
    )
  })
})

describe('requests show', () => {
  test('prints all that is known, bodies and attempts too', async () => {
    const directory = makeDataDirectory()
    const [id = ''] = newIds(1)
    await logRequests(directory, [id])
    const json = await run('requests', 'show', id, '--json', '--data', directory.path)
    expect(JSON.parse(json.join('\n'))).toMatchObject({
      ...{ id, status: 200, attempts: [{ provider: 'local' }] },
      bodies: { request: '{"model":"local/small"}', answer_truncated: true },
    })
    const text = (await run('requests', 'show', id, '--data', directory.path)).join('\n')
    for (const part of [
      id,
      '0.00000375 USD',
      'litellm-1',
      'attempt 1',
      'head_ms',
      '{"model":"local/small"}',
      'red ?[31m',
    ]) {
      expect(text).toContain(part)
    }
  })

  test('says that there is none', async () => {
    const directory = makeDataDirectory()
    await logRequests(directory, newIds(1))
    expect(await exitCodeOf(run('requests', 'show', 'nothing', '--data', directory.path))).toBe(
      EXIT.notFound
    )
  })
})
