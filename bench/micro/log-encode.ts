import { join } from 'node:path'
import { createJournal } from '../../src/telemetry/journal'
import { encodeRecord } from '../../src/telemetry/journal-codec'
import type { AttemptRecord, BeginRecord, EndRecord } from '../../src/telemetry/records'
import { createPiece, type Piece } from './piece'

type Records = [BeginRecord, AttemptRecord, EndRecord]

/** The three records of a request that went well: as text, and into a journal on the disk. */
export function createLogPieces(directory: string): Piece[] {
  const journal = createJournal({ directory: join(directory, 'journal') })
  return [
    createPiece({
      work: 'log encode: begin, attempt and end',
      budgetMicros: 5,
      fresh: createRecords,
      run: (records) => records.map(encodeRecord),
    }),
    createPiece({
      work: 'log append: the same, written to the journal',
      budgetMicros: 12,
      fresh: createRecords,
      run: (records) => records.map((record) => journal.append(record)),
    }),
  ]
}

function createRecords(): Records {
  const id = Bun.randomUUIDv7()
  const startedAtMs = Date.now()
  const durationMs = Math.random() * 1_000
  return [createBegin(id, startedAtMs), createAttempt(id, durationMs), createEnd(id, durationMs)]
}

function createBegin(id: string, startedAtMs: number): BeginRecord {
  return {
    kind: 'begin',
    id,
    startedAtMs,
    clientRequestId: undefined,
    keyId: '0193b2f1-5a7c-7e3d-9c41-2f0f6b8e1d55',
    keyName: 'production',
    api: 'openai-chat',
    operation: 'generate',
    requestedModel: 'openai/gpt-4o-mini',
    stream: true,
    bodyBytes: 4_096,
  }
}

function createAttempt(requestId: string, durationMs: number): AttemptRecord {
  return {
    kind: 'attempt',
    requestId,
    number: 1,
    provider: 'openai',
    model: 'gpt-4o-mini',
    startedAfterMs: 0.2,
    durationMs,
    headMs: durationMs / 2,
    status: 200,
    outcome: 'ok',
    errorCode: undefined,
    errorMessage: undefined,
    upstreamRequestId: `req_${requestId}`,
    retryOf: undefined,
    possiblyBilledTwice: false,
  }
}

function createEnd(requestId: string, durationMs: number): EndRecord {
  return {
    kind: 'end',
    requestId,
    endedAtMs: Date.now(),
    status: 200,
    outcome: 'ok',
    errorCode: undefined,
    errorMessage: undefined,
    provider: 'openai',
    servedModel: 'openai/gpt-4o-mini',
    finishReasons: ['stop'],
    usage: {
      inputTokens: 1_200,
      outputTokens: 340,
      cacheReadTokens: 1_024,
      cacheWriteTokens: undefined,
      reasoningTokens: 0,
      audioInputTokens: 0,
      audioOutputTokens: 0,
    },
    usageProvenance: 'provider',
    firstTokenMs: durationMs / 2,
    totalMs: durationMs,
    gatewayMs: 0.4,
    answerBytes: 52_000,
  }
}
