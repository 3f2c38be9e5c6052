import { expect, test } from 'bun:test'
import { toLimits } from '../limits/from-configuration'
import { AccountBook } from './account-book'
import { Governor } from './governor'

const LIMITS = toLimits(
  [
    {
      ...{ subject: 'key/*', windowText: '30d', limitUsd: 10, overshootUsd: 0, alertAt: [0.5] },
      ...{ reset: 'rolling', timezone: 'UTC', weekStart: 'monday', unknownPrice: 'allow' },
    },
  ],
  []
)

/** A governor of so many keys, each of which has spent six tenths of its budget. */
function govern(keys: number) {
  const [limit] = LIMITS
  if (limit === undefined) throw new Error('there is no limit')
  const book = new AccountBook(LIMITS, { manyAccounts: 1_000_000 })
  const nowMs = Date.now()
  for (let key = 0; key < keys; key++) {
    const account = book.account(limit, `id-${key}`, nowMs)
    account.advance(nowMs)
    account.book(account.present(), 6_000_000_000)
  }
  let told = 0
  const governor = new Governor({ book, now: Date.now, onEvent: () => void told++ })
  return { governor, told: () => told }
}

test('a review of some budgets tells at once, each once', () => {
  const { governor, told } = govern(100)
  governor.review()
  expect(told()).toBe(100)
  governor.review()
  expect(told()).toBe(100)
})

test('one of very many leaves the thread to others before it is done, and tells them all', async () => {
  const { governor, told } = govern(150_000)
  governor.review()
  expect(told()).toBeLessThan(150_000)
  // Begun anew, as by a reload.
  governor.review()
  while (told() < 150_000) await Bun.sleep(5)
  expect(told()).toBe(150_000)
})
