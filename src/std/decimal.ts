/** A decimal number moved by some places and rounded to an integer. */
export type ScaledDecimal = {
  readonly value: number
  /** No digit was lost. */
  readonly isExact: boolean
}

// More than any amount of money needs, and few enough that nobody's exponent makes a long text of zeros.
const MAX_PLACES = 40

/**
 * The integer that `number`, or its text, times ten to the power of `places` is, rounded half up: 1.5e-7 by 12 places is
 * 150_000. The digits are those of the shortest decimal that reads as the same number, which is what stood in
 * the JSON or YAML, so that 0.15 is 15 hundredths and not the binary fraction beside it. `undefined` for what is
 * negative, no finite number or, scaled, no safe integer.
 */
export function scaleDecimal(number: number | string, places: number): ScaledDecimal | undefined {
  const match = /^(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(String(number))
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const digits = whole + fraction
  const point = whole.length + Number(exponent) + places
  if (point > MAX_PLACES) return Number(digits) === 0 ? { value: 0, isExact: true } : undefined
  if (point < 0) return { value: 0, isExact: Number(digits) === 0 }
  const kept = Number(digits.slice(0, point).padEnd(point, '0') || '0')
  const lost = digits.slice(point)
  const value = kept + (lost >= '5' ? 1 : 0)
  return Number.isSafeInteger(value) ? { value, isExact: /^0*$/.test(lost) } : undefined
}
