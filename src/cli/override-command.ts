import { type Command, InvalidArgumentError } from 'commander'
import { parseExpiry } from '../keys/expiry'
import type { Profile } from '../keys/profile'
import { formatStoredLimit, overrideLimits, type StoredLimit } from '../limits/limit-text'
import { CommandError, EXIT } from './command-line'
import { collectBudgets, collectLimits } from './key-options'

export type OverrideOptions = { budget?: StoredLimit[]; limit?: StoredLimit[]; until?: number }

/** Gives `override` its options: which amounts, and until when. */
export function addOverrideOptions(command: Command): Command {
  return command
    .option('--budget <usd/window>', 'so many USD in the window of a budget it has', collectBudgets)
    .option('--limit <count/window>', 'so much in the window of a limit it has', collectLimits)
    .option('--until <time>', 'how long, e.g. 2d or 2030-01-31; without it they end', parseUntil)
}

/** The change that overrides amounts of a profile. Throws a CommandError for a budget or limit that it lacks. */
export function toOverride(
  { limits }: Profile,
  { budget = [], limit = [], until }: OverrideOptions
): { budgets: StoredLimit[]; limits: StoredLimit[] } {
  const wanted = [...budget, ...limit]
  if (wanted.length === 0) throw new CommandError(EXIT.usage, 'give --budget or --limit')
  let changed = [...limits]
  for (const one of wanted) {
    const next = overrideLimits(changed, one, until)
    if (next === undefined) {
      const has = limits.map(formatStoredLimit).join(', ') || 'none'
      const text = formatStoredLimit(one)
      throw new CommandError(EXIT.notFound, `nothing counts like ${text}; its limits are: ${has}`)
    }
    changed = next
  }
  return {
    budgets: changed.filter(({ unit }) => unit === 'usd'),
    limits: changed.filter(({ unit }) => unit !== 'usd'),
  }
}

function parseUntil(text: string): number {
  const expiry = parseExpiry(text, Date.now())
  if (expiry.ok) return expiry.atMs
  throw new InvalidArgumentError(expiry.problem)
}
