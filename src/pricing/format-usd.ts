export { parseUsdToNano } from '../protocols/reported-cost'

const NANO_DIGITS = 9

/**
 * Nano-USD as plain decimal USD, without an exponent or zeros at its end: 150 is `0.00000015`. Whole numbers of up to
 * 2^53.
 */
export function formatUsd(costNanoUsd: number): string {
  const digits = Math.abs(costNanoUsd)
    .toString()
    .padStart(NANO_DIGITS + 1, '0')
  const whole = digits.slice(0, -NANO_DIGITS)
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, '')
  const sign = costNanoUsd < 0 ? '-' : ''
  return `${sign}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
