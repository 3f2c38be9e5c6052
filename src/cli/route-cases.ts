import { z } from 'zod'
import { boundInput } from '../ledger/input-bound'
import { openaiChat } from '../protocols/openai/openai'
import { readEnvelope } from '../gateway/read-envelope'
import type { Exclusion, Plan } from '../routing/plan'
import type { Planner } from '../routing/planner'
import type { PlanRequest } from '../routing/route-caller'
import type { RouteSignals } from '../routing/route-signals'
import { createSeededRandom } from '../std/seeded-random'

const texts = z.array(z.string())
const numbers = z.record(z.string(), z.number())

const caseSchema = z.strictObject({
  name: z.string().optional(),
  model: z.string(),
  /** Members of a chat request, over a small one. */
  body: z.record(z.string(), z.unknown()).default({}),
  /** About so many tokens of input. */
  input_tokens: z.int().min(0).max(10_000_000).default(1),
  key: z.string().optional(),
  team: z.string().optional(),
  organization: z.string().optional(),
  user: z.string().optional(),
  session: z.string().optional(),
  tags: texts.default([]),
  headers: z.record(z.string(), z.string()).default({}),
  time: z.iso.datetime({ offset: true }).optional(),
  seed: z.int().default(0),
  /** By target, and by subject in USD. */
  latency_ms: numbers.default({}),
  throughput: numbers.default({}),
  in_flight: numbers.default({}),
  budget_remaining: numbers.default({}),
  targets: texts,
  excluded: texts.optional(),
})

/** What a file of cases holds. */
export const routeCasesSchema = z.array(caseSchema).min(1)

export type RouteCase = z.infer<typeof caseSchema>

/** What became of a case. */
export type RouteCaseResult = {
  readonly name: string
  readonly ok: boolean
  readonly expected: {
    readonly targets: readonly string[]
    readonly excluded: readonly string[] | null
  }
  readonly targets: readonly { readonly name: string; readonly reason: string }[]
  readonly excluded: readonly Exclusion[]
  readonly path: readonly string[]
  readonly notes: readonly string[]
  /** Why there is no plan at all; null where there is one. */
  readonly problem: string | null
}

/** What strategies and rules go by in a case; nothing else is known. */
export function toSignals(facts: RouteCase): Partial<RouteSignals> {
  const { time } = facts
  return {
    latencyMs: ({ name }) => facts.latency_ms[name],
    throughput: ({ name }) => facts.throughput[name],
    inFlight: ({ name }) => facts.in_flight[name] ?? 0,
    random: createSeededRandom(facts.seed),
    ...(time !== undefined && { nowMs: () => Date.parse(time) }),
    budgetRemaining: (subject) => facts.budget_remaining[subject],
  }
}

/** Plans a case's request and compares. */
export function runRouteCase(planner: Planner, facts: RouteCase): RouteCaseResult {
  const expected = { targets: facts.targets, excluded: facts.excluded ?? null }
  const name = facts.name ?? facts.model
  let plan: Plan
  try {
    plan = planner.plan(toRequest(facts))
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    const nothing = { targets: [], excluded: [], path: [], notes: [] }
    return { name, ok: false, expected, ...nothing, problem }
  }
  const { excluded, path, notes } = plan
  const targets = plan.targets.map(({ target, reason }) => ({ name: target.name, reason }))
  const inOrder = targets.map((target) => target.name)
  const isAsExpected =
    isSame(inOrder, facts.targets) &&
    (facts.excluded === undefined ||
      isSame(excluded.map((one) => one.name).toSorted(), facts.excluded.toSorted()))
  return { name, ok: isAsExpected, expected, targets, excluded, path, notes, problem: null }
}

function isSame(names: readonly string[], wanted: readonly string[]): boolean {
  return names.length === wanted.length && names.every((name, at) => name === wanted[at])
}

const BYTES_A_TOKEN = 4

function toRequest(facts: RouteCase): PlanRequest {
  const { model, user, session, tags, key, team, organization = 'default' } = facts
  const content = 'x'.repeat(facts.input_tokens * BYTES_A_TOKEN)
  const body = { model, messages: [{ role: 'user', content }], ...facts.body }
  const envelope = readEnvelope(openaiChat, new TextEncoder().encode(JSON.stringify(body)), {})
  const headers = new Headers(facts.headers)
  const hasKey = (key ?? team ?? facts.organization) !== undefined
  return {
    caller: hasKey ? { name: key ?? '', organization, team, levels: [], allLimits: [] } : undefined,
    envelope,
    boundTokens: () => boundInput(envelope.body).tokens,
    call: { header: (name) => headers.get(name), labels: () => ({ user, session, tags }) },
  }
}
