import { describe, expect, test } from 'bun:test'
import type { IndexedKey } from './key-columns'
import { createKeyIndex } from './key-index'
import { createToken, createTokenHasher, sha256Hex } from './token'

const NOW_MS = 1_000
const hashToken = createTokenHasher(new Uint8Array(32).fill(7))
const key = (name: string, change: Partial<IndexedKey> = {}): IndexedKey => ({
  id: `id-${name}`,
  name,
  enabled: true,
  revokedAtMs: null,
  expiresAtMs: null,
  createdAtMs: 5,
  bodies: null,
  models: null,
  ...change,
})
const BUDGET = '[{"unit":"usd","amount":7,"window":"1d"}]'
const group = { parentId: null, models: null, rights: null, limits: null }

test('thousands of keys are each found with what is theirs, through change after change', () => {
  const index = createKeyIndex(hashToken)
  const tokens = Array.from({ length: 5_000 }, createToken)
  const put = (round: number) =>
    tokens.forEach((token, number) => {
      if (round > 0 && number % 3 !== 0) return
      index.put(
        hashToken(token),
        key(`ключ-${number}`, {
          enabled: round === 0,
          createdAtMs: number,
          expiresAtMs: number % 2 === 0 ? number : null,
          models: `["p/${number % 7}","round/${round}"]`,
        })
      )
    })
  const expectAll = (round: number) =>
    tokens.forEach((token, number) => {
      const changes = number % 3 === 0 ? round : 0
      expect(index.find(token, NOW_MS)).toMatchObject({
        id: `id-ключ-${number}`,
        name: `ключ-${number}`,
        enabled: changes === 0,
        createdAtMs: number,
        expiresAtMs: number % 2 === 0 ? number : undefined,
        revokedAtMs: undefined,
        models: [`p/${number % 7}`, `round/${changes}`],
      })
    })
  put(0)
  expectAll(0)
  put(1)
  expectAll(1)
  expect(index.size()).toBe(5_000)
  expect(index.find(createToken(), NOW_MS)).toBeUndefined()
})

test('a hash that is none is refused, not kept as another', () => {
  const index = createKeyIndex(hashToken)
  expect(() => index.put('short', key('app'))).toThrow('32 bytes')
  expect(index.size()).toBe(0)
})

describe('levels', () => {
  test('a key has its own limits, those of its team and those of its organization', () => {
    const index = createKeyIndex(hashToken)
    const token = createToken()
    index.putGroup({ ...group, id: 'o1', kind: 'organization', name: 'acme', limits: BUDGET })
    index.putGroup({
      ...group,
      id: 't1',
      kind: 'team',
      name: 'red',
      parentId: 'o1',
      limits: BUDGET,
    })
    index.put(hashToken(token), key('app', { groupId: 't1', limits: BUDGET }))
    const found = index.find(token, NOW_MS)
    expect(found).toMatchObject({ organization: 'acme', team: 'red' })
    expect(found?.levels.map(({ kind, name }) => [kind, name])).toEqual([
      ['key', 'app'],
      ['team', 'red'],
      ['organization', 'acme'],
    ])
    expect(found?.limits.map(({ name }) => name)).toEqual(['key/id-app'])
    expect(found?.allLimits.map(({ name, limit }) => [name, limit.subject.text])).toEqual([
      ['key/id-app', 'key/app'],
      ['team/t1', 'team/red'],
      ['organization/o1', 'organization/acme'],
    ])
  })

  test('a change of a team or organization is a change of its keys', () => {
    const index = createKeyIndex(hashToken)
    const [inTeam, inNone] = [createToken(), createToken()]
    const team = { ...group, id: 't1', kind: 'team', name: 'red', parentId: 'default' } as const
    index.putGroup(team)
    index.put(hashToken(inTeam), key('app', { groupId: 't1' }))
    index.put(hashToken(inNone), key('other'))
    expect(index.find(inTeam, NOW_MS)?.allLimits).toEqual([])
    index.putGroup({ ...team, models: '["openai/*"]' })
    expect(index.find(inTeam, NOW_MS)?.levels[1]?.rights.models).toEqual(['openai/*'])
    index.putGroup({
      ...group,
      id: 'default',
      kind: 'organization',
      name: 'default',
      limits: BUDGET,
    })
    expect(index.find(inTeam, NOW_MS)?.allLimits).toHaveLength(1)
    expect(index.find(inNone, NOW_MS)?.allLimits).toHaveLength(1)
  })
})

describe('a rotated key', () => {
  const [first, second, third] = [createToken(), createToken(), createToken()]
  const earlier = (token: string, endsAtMs: number) => ({
    tokenHash: hashToken(token),
    tokenKind: null,
    endsAtMs,
  })

  test('has both tokens until the time of the old one ends', () => {
    const index = createKeyIndex(hashToken)
    index.put(hashToken(first), key('app'))
    index.put(hashToken(second), key('app'), [earlier(first, 2_000)])
    expect(index.size()).toBe(1)
    expect(index.find(second, 5_000)?.name).toBe('app')
    expect(index.find(first, 1_999)?.name).toBe('app')
    expect(index.find(first, 2_000)).toBeUndefined()
  })

  test('is the same key when several rotations are seen at once', () => {
    const index = createKeyIndex(hashToken)
    index.put(hashToken(first), key('app'))
    index.put(hashToken(third), key('app', { enabled: false }), [
      earlier(first, 0),
      earlier(second, 2_000),
    ])
    expect(index.size()).toBe(1)
    expect(index.find(first, NOW_MS)).toBeUndefined()
    expect(index.find(second, NOW_MS)?.enabled).toBe(false)
    expect(index.find(third, NOW_MS)?.enabled).toBe(false)
  })

  test('rotated again and again keeps room for others', () => {
    const index = createKeyIndex(hashToken)
    let token = createToken()
    index.put(hashToken(token), key('app'))
    for (let round = 0; round < 3_000; round++) {
      const next = createToken()
      index.put(hashToken(next), key('app'), [earlier(token, 0)])
      expect(index.find(token, NOW_MS)).toBeUndefined()
      token = next
    }
    expect(index.find(token, NOW_MS)?.name).toBe('app')
    expect(index.size()).toBe(1)
  })
})

describe('a key imported by its SHA-256', () => {
  const token = 'sk-aLiteLLMtoken0123456789'
  const index = createKeyIndex(hashToken)
  index.put(hashToken(sha256Hex(token)), key('app', { tokenKind: 'litellm' }))

  test('is found by its token', () => {
    expect(index.find(token, NOW_MS)?.name).toBe('app')
    expect(index.hasImported()).toBe(true)
  })

  test('and not by the hash that another database has of it', () => {
    expect(index.find(sha256Hex(token), NOW_MS)).toBeUndefined()
  })

  test('while no other key is found by the SHA-256 of its own', () => {
    const hex = sha256Hex('another-token-of-somebody')
    index.put(hashToken(hex), key('other', { tokenKind: 'imported' }))
    expect(index.find(hex, NOW_MS)?.name).toBe('other')
    expect(index.find('another-token-of-somebody', NOW_MS)).toBeUndefined()
  })
})
