import { describe, expect, test } from 'bun:test'
import { GatewayError } from '../errors/gateway-error'
import { authenticate } from './authenticate'
import { createKeyIndex } from './key-index'
import { createToken, createTokenHasher } from './token'
import type { IndexedKey } from './key-columns'

const NOW_MS = Date.UTC(2030, 0, 1)
const hashToken = createTokenHasher(new Uint8Array(32).fill(7))
const active: IndexedKey = {
  id: '1',
  name: 'app',
  enabled: true,
  revokedAtMs: undefined,
  expiresAtMs: undefined,
  models: null,
  bodies: null,
  createdAtMs: 0,
}

/** An index of one key, and its token. */
function issue(change: Partial<IndexedKey> = {}) {
  const index = createKeyIndex(hashToken)
  const token = createToken()
  index.put(hashToken(token), { ...active, ...change })
  return { index, token }
}

test('an active key is given', () => {
  const { index, token } = issue({ expiresAtMs: NOW_MS + 1, bodies: 'full' })
  const key = authenticate(index, token, NOW_MS)
  expect(key).toMatchObject({ id: '1', name: 'app', enabled: true, models: [], bodies: 'full' })
  expect(key).toMatchObject({ expiresAtMs: NOW_MS + 1, organization: 'default', team: undefined })
  expect(authenticate(index, token, NOW_MS)).toBe(key)
})

test('a key that changed is given as it is now', () => {
  const { index, token } = issue()
  index.put(hashToken(token), { ...active, models: '["openai/*"]' })
  expect(authenticate(index, token, NOW_MS).models).toEqual(['openai/*'])
  expect(index.size()).toBe(1)
})

const stranger = createToken()

test.each<[string, string | undefined, string]>([
  ['none', undefined, 'no API key was given'],
  ['an empty one', '', 'no API key was given'],
  ["another service's", 'sk-proj-hunter2', 'begin with sk-tg-'],
  ['one cut short', stranger.slice(0, -1), 'have 49 characters'],
  ['an unknown one', stranger, `ending in ${stranger.slice(-4)} is unknown`],
])('%s is refused with its reason', (_, token, reason) => {
  const error = refusal(() => authenticate(issue().index, token, NOW_MS))
  expect(error.message).toContain(reason)
})

test.each<[string, Partial<IndexedKey>]>([
  ['is disabled', { enabled: false }],
  ['was revoked', { revokedAtMs: NOW_MS - 1 }],
  ['was revoked', { revokedAtMs: NOW_MS - 1, enabled: false, expiresAtMs: NOW_MS - 2 }],
  ['expired on 2030-01-01T00:00:00.000Z', { expiresAtMs: NOW_MS }],
])('a key that %s opens nothing', (reason, change) => {
  const { index, token } = issue(change)
  const { message } = refusal(() => authenticate(index, token, NOW_MS))
  expect(message).toBe(`the API key ending in ${token.slice(-4)} ${reason}`)
})

describe('tokens that were imported', () => {
  const imported = 'sk-imported-0123456789'
  const stored = (token: string, tokenKind: IndexedKey['tokenKind'] = 'imported') => {
    const index = createKeyIndex(hashToken)
    index.put(hashToken(token), { ...active, ...(tokenKind && { tokenKind }) })
    return index
  }

  test('open their key', () => {
    expect(authenticate(stored(imported), imported, NOW_MS).name).toBe('app')
    expect(refusal(() => authenticate(issue().index, imported, NOW_MS)).message).toContain('sk-tg-')
  })

  test('open nothing once a rotation has replaced them', () => {
    const index = stored(imported)
    const token = createToken()
    const earlier = {
      tokenHash: hashToken(imported),
      tokenKind: 'imported',
      endsAtMs: NOW_MS,
    } as const
    index.put(hashToken(token), active, [earlier])
    expect(authenticate(index, imported, NOW_MS - 1).name).toBe('app')
    expect(refusal(() => authenticate(index, imported, NOW_MS)).message).toContain('sk-tg-')
    expect(authenticate(index, token, NOW_MS).name).toBe('app')
  })

  test.each(['two words 0123456789', 'short', 'line\nline-0123456789', 'x'.repeat(513)])(
    '%p can be none',
    (text) => {
      expect(() => authenticate(stored(text), text, NOW_MS)).toThrow('sk-tg-')
    }
  )
})

test('no message repeats a token', () => {
  const { index, token } = issue({ enabled: false })
  for (const text of [token, stranger, 'hunter2!', `${token}x`]) {
    const { message } = refusal(() => authenticate(index, text, NOW_MS))
    for (let at = 0; at + 5 <= text.length; at++) {
      const part = text.slice(at, at + 5)
      if (!'sk-tg-'.includes(part)) expect(message).not.toContain(part)
    }
  }
})

function refusal(run: () => unknown): GatewayError {
  try {
    run()
  } catch (error) {
    if (error instanceof GatewayError) {
      expect([error.code, error.status]).toEqual(['invalid_api_key', 401])
      return error
    }
    throw error
  }
  throw new Error('nothing was refused')
}
