import { expect, test } from 'bun:test'

import type { OwnedObject } from '../db/owned-objects'
import { RecentObjects } from './recent-objects'

const object = (id: string, more: Partial<OwnedObject> = {}): OwnedObject => ({
  ...{ kind: 'response', id, keyId: 'ann', provider: 'sim', requestId: 'r', createdAtMs: 1 },
  ...more,
})

test('what was put is found, until it is removed or expires', () => {
  const recent = new RecentObjects()
  recent.put(object('a', { expiresAtMs: 100 }))
  expect(recent.find('response', 'a', 99)).toEqual(object('a', { expiresAtMs: 100 }))
  expect(recent.find('response', 'a', 100)).toBe('gone')
  recent.put(object('b'))
  recent.remove('response', 'b')
  expect(recent.find('response', 'b', 1)).toBe('gone')
  expect(recent.find('file', 'a', 1)).toBeUndefined()
})

test('an id of somebody else stays theirs', () => {
  const recent = new RecentObjects()
  recent.put(object('a', { data: 'old' }))
  recent.put(object('a', { keyId: 'bob' }))
  recent.put(object('a', { provider: 'other' }))
  expect(recent.find('response', 'a', 1)).toEqual(object('a', { data: 'old' }))
  recent.put(object('a', { data: 'new' }))
  expect(recent.find('response', 'a', 1)).toMatchObject({ data: 'new' })
})

test('those go that were not asked for the longest, by their number and by what they hold', () => {
  const recent = new RecentObjects()
  for (let at = 0; at < 4_096; at++) recent.put(object(`id-${at}`))
  recent.find('response', 'id-0', 1)
  recent.put(object('one-more'))
  expect(recent.find('response', 'id-0', 1)).toBeDefined()
  expect(recent.find('response', 'id-1', 1)).toBeUndefined()
  recent.put(object('large', { data: 'x'.repeat(20 << 20) }))
  recent.put(object('larger', { data: 'x'.repeat(20 << 20) }))
  expect(recent.find('response', 'large', 1)).toBeUndefined()
  expect(recent.find('response', 'larger', 1)).toBeDefined()
  recent.put(object('too-large', { data: 'x'.repeat(33 << 20) }))
  expect(recent.find('response', 'too-large', 1)).toBeUndefined()
})
