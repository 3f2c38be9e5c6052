import { expect, test } from 'bun:test'

import { createVault } from './vault'

const secretOf = (byte: number) => new Uint8Array(32).fill(byte)

test('what was sealed opens again, by the same secret alone', async () => {
  const text = `${'Grüße 🌍 '.repeat(5_000)}end`
  const sealed = await createVault(secretOf(1)).seal(text)
  expect(await createVault(secretOf(1)).open(sealed)).toBe(text)
  const opened = createVault(secretOf(2)).open(sealed)
  expect(await opened.catch(() => 'refused')).toBe('refused')
})

test('what was changed opens no more', async () => {
  const vault = createVault(secretOf(1))
  const bytes = Buffer.from(await vault.seal('a text'), 'base64')
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  const opened = vault.open(bytes.toString('base64'))
  expect(await opened.catch(() => 'refused')).toBe('refused')
})

test('the same text is sealed in another way each time, and takes less room', async () => {
  const vault = createVault(secretOf(1))
  const text = 'What is a tollgate? '.repeat(1_000)
  const [one, two] = [await vault.seal(text), await vault.seal(text)]
  expect(one).not.toBe(two)
  expect(one.length).toBeLessThan(text.length / 10)
})
