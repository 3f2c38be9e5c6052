import { z } from 'zod'
import { duration, fields, text, trueOrFalse } from './fields'
import { isTimezone } from './limits-fields'

/** How a route puts its targets in order. */
export const ROUTE_STRATEGIES = [
  'fallback',
  'weighted',
  'least_latency',
  'lowest_cost',
  'highest_throughput',
  'conditional',
] as const

export type RouteStrategy = (typeof ROUTE_STRATEGIES)[number]

/** A target as it is written: a name, or a mapping of a model or of a nested route. */
export type RouteTargetFields = string | RouteEntryFields

export type RouteEntryFields = {
  model?: string | undefined
  weight?: number | undefined
  params?: Readonly<Record<string, unknown>> | undefined
  strategy?: RouteStrategy | undefined
  targets?: readonly RouteTargetFields[] | undefined
  rules?: readonly RouteRuleFields[] | undefined
  else?: RouteTargetFields | undefined
  timezone?: string | undefined
}

export type RouteRuleFields = { when: string; use: RouteTargetFields }

export type RouteFields = Omit<RouteEntryFields, 'model' | 'weight' | 'params'>

/** What a route with a name has beside: nested ones follow the route that was asked for. */
export type NamedRouteFields = RouteFields & {
  affinity?: boolean | undefined
  continue_streams: boolean
  hedge?: { after: 'p95' | number; max_percent: number } | undefined
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/
const MOST_TARGETS = 64
const MOST_WEIGHT = 1_000_000
const TARGET = 'provider/model, the name of a route, or a mapping of one target or nested route'

const target: z.ZodType<RouteTargetFields> = z.lazy(() =>
  z.union([text(TARGET), entry], { error: TARGET })
)

const strategy = () =>
  z
    .enum(ROUTE_STRATEGIES, { error: ROUTE_STRATEGIES.join(', ') })
    .describe('How targets are put in order; the next is tried when one fails.')

const rule = fields({
  when: text('an expression in CEL').describe('A condition in CEL, e.g. has_tools.'),
  use: target.describe('Where requests go for which it is true.'),
})

/** What nested routes and those with a name have in common. */
const routeShape = () => ({
  targets: z
    .array(target, { error: 'a list of targets' })
    .min(1, 'at least one target')
    .max(MOST_TARGETS, `at most ${MOST_TARGETS} targets`)
    .optional()
    .describe('provider/model, names of other routes, or mappings.'),
  rules: z
    .array(rule, { error: 'a list of rules, each with when and use' })
    .min(1, 'at least one rule')
    .max(MOST_TARGETS, `at most ${MOST_TARGETS} rules`)
    .optional()
    .describe('Of a conditional route: the first that is true says where a request goes.'),
  else: target.optional().describe('Of a conditional route: where all other requests go.'),
  timezone: text('the name of a time zone')
    .refine(isTimezone, { error: 'the name of a time zone, such as Europe/Berlin' })
    .optional()
    .describe('The time zone of hour and weekday in rules; UTC unless said.'),
})

const entry = fields({
  model: text('provider/model, or the name of a route').optional().describe('provider/model.'),
  weight: z
    .number({ error: `a number from 0 to ${MOST_WEIGHT}` })
    .min(0, `a number from 0 to ${MOST_WEIGHT}`)
    .max(MOST_WEIGHT, `a number from 0 to ${MOST_WEIGHT}`)
    .optional()
    .describe('Its share of a weighted route; 1 unless said, 0 comes behind all others.'),
  params: z
    .record(z.string(), z.unknown(), { error: 'a mapping of parameters' })
    .optional()
    .describe('Parameters that this target is sent in the place of what the client said.'),
  strategy: strategy().optional(),
  ...routeShape(),
})

const PERCENT = 'a number from 0.1 to 50'

const hedge = fields({
  after: z
    .union(
      [
        z.literal('p95'),
        duration('1s', { from: '10ms', to: '5m' }, 'The wait before the second attempt.'),
      ],
      { error: 'p95, or a duration such as 800ms, from 10ms to 5m' }
    )
    .default('p95')
    .describe('How long the first target may say nothing: its own 95th percentile, or a duration.'),
  max_percent: z
    .number({ error: PERCENT })
    .min(0.1, PERCENT)
    .max(50, PERCENT)
    .default(5)
    .describe('The share of the requests that may have a second attempt.'),
})

const route = fields({
  strategy: strategy().default('fallback'),
  continue_streams: trueOrFalse()
    .default(false)
    .describe('Another target goes on with a text whose stream breaks off.'),
  hedge: hedge.optional().describe('A second target is asked where the first one is slow.'),
  ...routeShape(),
  affinity: trueOrFalse()
    .default(true)
    .describe(
      'Turns of one conversation stay at the target that served the last one, for its prompt cache.'
    ),
})

/** The `routes:` section: names that clients use as models, and the targets behind them. */
export function routesSection() {
  const refused =
    'a name of letters, digits and . _ : @ / -, up to 128, starting with a letter or digit'
  return z.record(z.string().regex(NAME), route, {
    error: (issue) =>
      issue.code === 'invalid_key' ? refused : 'a mapping of route names to their settings',
  })
}
