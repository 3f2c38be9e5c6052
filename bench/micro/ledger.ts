import { AccountBook } from '../../src/ledger/account-book'
import { Governor } from '../../src/ledger/governor'
import { toLimits } from '../../src/limits/from-configuration'
import type { ModelCard } from '../../src/models/model-card'
import { createPiece, inTurn, type Piece } from './piece'

const CARD: ModelCard = {
  ...{ provider: 'openai', model: 'm', kind: 'chat', contextTokens: 128_000, origin: 'list' },
  ...{ maxOutputTokens: 16_384, abilities: undefined },
  price: { rates: { input: 150_000, output: 600_000, cacheRead: 75_000 } },
}
const TARGET = { provider: 'openai', model: 'openai/m', card: CARD }
const SIZE = {
  ...{ inputTokens: 4_000, outputLimit: 500, choices: 1, hasOutput: true, searches: 0 },
  serviceTier: undefined,
}
const USED = { costNanoUsd: 450_000, inputTokens: 1_000, outputTokens: 200 }
const SUBJECTS = [
  'organization',
  'key/*',
  'user/*',
  'provider/openai',
  'key/*+provider/openai',
  'model/*',
]
const window = { reset: 'rolling', timezone: 'UTC', weekStart: 'monday' } as const

/** Money held in six accounts for one attempt, and settled. */
export function createLedgerPieces(): Piece[] {
  const budget = {
    limitUsd: 1_000_000,
    overshootUsd: 0,
    unknownPrice: 'refuse',
    alertAt: [],
  } as const
  const budgets = SUBJECTS.map((subject) =>
    Object.assign({ subject, windowText: '30d' }, budget, window)
  )
  const book = new AccountBook(toLimits(budgets, []))
  const governor = new Governor({ book, now: Date.now, onEvent() {} })
  const callers = Array.from({ length: 1_000 }, (_, number) => ({
    ...{ organization: 'default', team: undefined, key: `key-${number}`, keyId: `id-${number}` },
    ...{ user: `user-${number % 100}`, session: undefined, tags: [] },
  }))
  const grants = inTurn(callers.map((of) => governor.admit({ of, own: [] })))
  return [
    createPiece({
      work: 'reserve and settle across six budgets',
      budgetMicros: 5,
      fresh: grants,
      run(grant) {
        grant.reserve(TARGET, SIZE)
        grant.settle(USED)
      },
    }),
  ]
}
