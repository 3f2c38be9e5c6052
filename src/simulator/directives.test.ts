import { describe, expect, test } from 'bun:test'
import { parseDirectives } from './directives'
import { findFault } from './faults'

describe('parseDirectives', () => {
  test('reads the parts behind a model name', () => {
    expect(parseDirectives('sim-1;ttft=60;tps=50;tokens=100;jitter=2.5;stamp=1', null)).toEqual({
      ok: true,
      directives: {
        fault: undefined,
        ttftMs: 60,
        tokensPerSecond: 50,
        jitterMs: 2.5,
        tokens: 100,
        stamp: true,
      },
    })
  })

  test('the header wins over the name, and names faults too', () => {
    const parsed = parseDirectives('fault-error-400;ttft=60', 'ttft=5, fault=error-429')
    expect(parsed).toMatchObject({ ok: true, directives: { ttftMs: 5 } })
    expect(parsed.ok && parsed.directives.fault).toBe(findFault('error-429'))
  })

  test('a plain name asks for nothing', () => {
    expect(parseDirectives('gpt-4o-mini', null)).toMatchObject({
      ok: true,
      directives: { fault: undefined, ttftMs: 0, tokensPerSecond: 0 },
    })
  })

  test.each([
    ['sim;speed=1', 400, 'speed=1'],
    ['sim;ttft', 400, 'ttft'],
    ['sim;ttft=-1', 400, 'ttft=-1'],
    ['sim;ttft=', 400, 'ttft='],
    ['sim;tokens=1.5', 400, 'tokens=1.5'],
    ['sim;tokens=99999999', 400, 'tokens=99999999'],
    ['sim;constructor=1', 400, 'constructor=1'],
    ['fault-constructor', 404, 'constructor'],
    ['fault-', 404, ''],
  ])('refuses %s', (model, status, named) => {
    const parsed = parseDirectives(model, null)
    expect(parsed).toMatchObject({ ok: false, status })
    expect(!parsed.ok && parsed.message).toContain(named)
  })
})
