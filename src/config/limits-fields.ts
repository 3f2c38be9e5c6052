import { z } from 'zod'
import { parseTime } from '../std/parse-time'
import { thresholds } from './alerts-fields'
import { CREDENTIAL_NAME } from './credential-fields'
import { choice, fields, text, trueOrFalse } from './fields'

const DIMENSIONS = 'organization|team|key|user|session|tag|provider|model'
const CREDENTIAL = `credential/(?:\\*|[a-z0-9_-]+/${CREDENTIAL_NAME})`
const PART = `(?:organization|(?:${DIMENSIONS})/[^+\\s]+|${CREDENTIAL})`
const SUBJECT_PATTERN = new RegExp(`^${PART}(?:\\+${PART})?$`)
const WINDOW_PATTERN = /^[1-9]\d{0,5}(s|m|h|d|w|mo|q|y)$/
/** Beyond it nano-USD are no longer exact. */
const MOST_USD = 9_000_000
const MOST_COUNT = 1e15

const subject = () =>
  text('a subject')
    .regex(
      SUBJECT_PATTERN,
      'organization, organization/NAME, team/NAME, key/NAME, user/ID, session/ID, tag/NAME, provider/NAME, model/NAME, credential/PROVIDER/NAME, NAME may be *, or two joined by +'
    )
    .describe('Whose requests it counts; * has a counter for each.')

const window = () =>
  text('a window').regex(WINDOW_PATTERN, 'a window such as 30s, 1m, 24h, 30d, 1w, 1mo, 1q, 1y')

const usd = (what: string) => {
  const error = `USD, a number from 0 to ${MOST_USD}`
  return z.number({ error }).min(0, error).max(MOST_USD, error).describe(what)
}

const count = (what: string) => {
  const error = 'a whole number above 0'
  return z.int({ error }).min(1, error).max(MOST_COUNT, error).optional().describe(what)
}

const timezone = () =>
  text('the name of a time zone')
    .refine(isTimezone, { error: 'the name of a time zone, such as Europe/Berlin' })
    .prefault('UTC')
    .describe('The time zone of calendar windows.')

const until = () =>
  text('a time')
    .transform((written, context) => {
      const atMs = parseTime(written)
      if (atMs !== undefined && !Number.isNaN(atMs)) return atMs
      context.issues.push({
        ...{ code: 'custom', input: written },
        message: 'a date such as 2030-01-31, or an ISO 8601 time with its offset',
      })
      return z.NEVER
    })
    .describe('When the amount itself counts again.')

/** `budgets:`, limits in USD. */
export function budgetsSection() {
  const budget = fields({
    subject: subject(),
    limit_usd: usd('At most so many USD in a window.'),
    window: window().optional().describe('The window; left out, the budget is for good.'),
    override: fields({ limit_usd: usd('The amount for the time being.'), until: until() })
      .optional()
      .describe('Another amount in its place, for a time that ends.'),
    reset: choice(
      ['auto', 'calendar', 'rolling'],
      'auto',
      'When spending is forgotten: with the calendar (auto: for mo, q, y) or as it ages.'
    ),
    timezone: timezone(),
    week_start: choice(['monday', 'sunday'], 'monday', 'The first day of calendar weeks.'),
    overshoot_usd: usd('How far worst cases may go beyond it, if what is expected fits.').prefault(
      0
    ),
    unknown_price: z
      .union([z.enum(['refuse', 'allow']), usd('')], { error: 'refuse, allow, or USD a request' })
      .default('refuse')
      .describe(
        'What a model without a price may do: nothing, all, or cost so many USD a request.'
      ),
    alert_at: thresholds()
      .optional()
      .describe('Parts of it at which alerts tell: 0.8 is four fifths. Else alerts.thresholds.'),
  })
  return z.array(budget, { error: 'a list of budgets' })
}

/** `limits:`, in requests, tokens and what is in flight. */
export function limitsSection() {
  const amounts = {
    requests: count('Requests in a window; for a provider or model, attempts.'),
    input_tokens: count('Input tokens in a window.'),
    output_tokens: count('Output tokens in a window.'),
    tokens: count('Tokens in a window, input and output.'),
    in_flight: count('Requests at once.'),
  }
  const limit = fields({
    subject: subject(),
    ...amounts,
    override: fields({ ...amounts, until: until() })
      .optional()
      .describe('Other amounts in their place, for a time that ends.'),
    per: window().prefault('1m').describe('The window.'),
    calendar: trueOrFalse().default(false).describe('The window follows the clock.'),
    timezone: timezone(),
  }).refine(
    ({ requests, input_tokens, output_tokens, tokens, in_flight }) =>
      [requests, input_tokens, output_tokens, tokens, in_flight].some(
        (amount) => amount !== undefined
      ),
    { error: 'at least one of requests, input_tokens, output_tokens, tokens, in_flight' }
  )
  return z.array(limit, { error: 'a list of limits' })
}

/** Whether the system knows a time zone by this name. */
export function isTimezone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}
