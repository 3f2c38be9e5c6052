import { expect, test } from 'bun:test'
import { Losses, renderLosses } from './losses'

test('each field and kind is told once', () => {
  const losses = new Losses()
  losses.drop('seed')
  losses.drop('seed')
  losses.clamp('temperature')
  losses.rewrite('messages.0')
  losses.estimate('input_tokens')
  expect(renderLosses(losses.list)).toBe(
    'seed;dropped, temperature;clamped, messages.0;rewritten, input_tokens;estimated'
  )
})

test('a name that a header can’t hold is told as far as it can', () => {
  const losses = new Losses()
  losses.drop('größe\r\nx-evil: 1')
  losses.drop('0')
  expect(renderLosses(losses.list)).toBe('gr__e__x-evil:_1;dropped, *0;dropped')
})

test('a list that is too long says how much is left out', () => {
  const losses = new Losses()
  for (let index = 0; index < 60; index++) losses.drop(`${'long'.repeat(20)}.${index}`)
  const text = renderLosses(losses.list)
  expect(text.length).toBeLessThan(2_100)
  const [, left] = /, \*more;count=(\d+)$/.exec(text) ?? []
  expect(text.split(', ').length - 1 + Number(left)).toBe(60)
})
