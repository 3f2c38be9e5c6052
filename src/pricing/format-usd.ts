const NANO_DIGITS = 9

/** Nano-USD as plain decimal USD, without an exponent or zeros at its end: 150 is `0.00000015`. */
export function formatUsd(costNanoUsd: number): string {
  const digits = Math.abs(costNanoUsd)
    .toString()
    .padStart(NANO_DIGITS + 1, '0')
  const whole = digits.slice(0, -NANO_DIGITS)
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '')
  const sign = costNanoUsd < 0 ? '-' : ''
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/**
 * USD as a number or its text to nano-USD, exact and rounded half up at the ninth decimal: 1.4e-4 is 140_000.
 * `undefined` for what is no amount, or less than nothing.
 */
export function parseUsdToNano(usd: unknown): number | undefined {
  if (typeof usd !== 'number' && typeof usd !== 'string') return undefined
  const match = /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(usd))
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const shift = NANO_DIGITS + Number(exponent)
  const digits = whole + fraction
  const point = whole.length + shift
  if (point < 0) return 0
  if (point > 15 + NANO_DIGITS) return undefined
  const kept = digits.slice(0, point).padEnd(point, '0')
  const nano = Number(kept || '0') + ((digits[point] ?? '0') >= '5' ? 1 : 0)
  return Number.isSafeInteger(nano) ? nano : undefined
}
