import type { Generation, Part, Tool } from '../../src/protocols/generation'
import type { Loss } from '../../src/protocols/losses'

/**
 * What two generations must have in common to mean the same: turns of one role are one, ids of calls are numbered
 * in order, arguments are values, what a format has to write out by default is left out.
 */
export type Normal = {
  settings: Record<string, unknown>
  tools: { path: string; value: unknown }[]
  parts: { path: string; value: unknown }[]
}

export function toNormal(generation: Generation): Normal {
  const ids = new Map<string, string>()
  const idOf = (id: string) => {
    const known = ids.get(id) ?? `call ${ids.size}`
    ids.set(id, known)
    return known
  }
  return {
    settings: settingsOf(generation),
    tools: generation.tools.map((tool, index) => ({ path: `tools.${index}`, value: toolOf(tool) })),
    parts: generation.messages.flatMap(({ role, parts }, turn) =>
      parts.flatMap((part, index) => {
        if (part.type === 'text' && part.text === '') return []
        return [
          {
            path: `messages.${turn}.content.${index}`,
            value: plain({ role, ...partOf(part, idOf) }),
          },
        ]
      })
    ),
  }
}

/** No effort is none; any other means that there is some. */
function reasoningOf(reasoning: Generation['reasoning']): Generation['reasoning'] {
  if (reasoning?.effort === 'none') return { enabled: false }
  if (reasoning?.effort === undefined || reasoning.enabled !== true) return reasoning
  return { ...reasoning, enabled: undefined }
}

function toolOf(tool: Tool): unknown {
  const { source: _source, cache: _cache, ...rest } = tool
  // Not strict is what a function is where nothing is said.
  if (rest.type === 'function' && rest.strict === false) delete rest.strict
  return plain(rest)
}

function settingsOf(generation: Generation): Record<string, unknown> {
  const {
    messages: _messages,
    tools: _tools,
    source: _source,
    model: _model,
    includesUsage: _usage,
    extras: _extras,
    format,
    ...settings
  } = generation
  const schema = format?.type === 'schema' ? { type: 'schema', schema: format.schema } : format
  const { toolChoice, parallelToolCalls, choices, store, reasoning } = settings
  const normal: Record<string, unknown> = {
    ...settings,
    format: schema?.type === 'text' ? undefined : schema,
    // What formats say when nothing is said.
    toolChoice: toolChoice?.type === 'auto' ? undefined : toolChoice,
    parallelToolCalls: parallelToolCalls === true ? undefined : parallelToolCalls,
    choices: choices === 1 ? undefined : choices,
    store: store === false ? undefined : store,
    reasoning: reasoningOf(reasoning),
  }
  for (const [name, value] of Object.entries(normal)) normal[name] = plain(value)
  return normal
}

function partOf(part: Part, idOf: (id: string) => string): Record<string, unknown> {
  const { source: _source, cache: _cache, ...rest } = part
  if (part.type === 'tool_call')
    return { ...rest, id: idOf(part.id), arguments: parse(part.arguments) }
  if (part.type === 'tool_result') {
    const text = part.parts.map((inner) => (inner.type === 'text' ? inner.text : inner.type))
    return { type: part.type, id: idOf(part.callId), text: text.join(''), isError: part.isError }
  }
  return rest
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** By value: members in no order, none that is undefined. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([name, member]): [string, unknown] => [name, plain(member)])
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The names under which a setting's loss may be reported, letters only. */
const REPORTED: Readonly<Record<string, readonly string[]>> = {
  maxTokens: ['maxtokens', 'maxoutputtokens', 'maxcompletiontokens', 'reasoning', 'thinking'],
  choices: ['n', 'choices', 'candidatecount'],
  stop: ['stop', 'stopsequences'],
  format: ['responseformat', 'format', 'textformat', 'outputconfig'],
  reasoning: ['reasoning', 'reasoningeffort', 'thinking', 'thinkingconfig', 'outputconfig'],
  user: ['user', 'metadata', 'safetyidentifier'],
  logprobs: ['logprobs', 'toplogprobs'],
}

/**
 * What changed from `before` to `after` that no loss accounts for, in words; empty when the translation kept its
 * promise.
 */
export function unreported(before: Normal, after: Normal, losses: readonly Loss[]): string[] {
  const problems: string[] = []
  const fields = losses.map(({ field }) => field)
  const names = fields.map((field) => field.toLowerCase().replaceAll(/[^a-z]/g, ''))
  for (const name of new Set([...Object.keys(before.settings), ...Object.keys(after.settings)])) {
    const [was, is] = [before.settings[name], after.settings[name]].map((value) =>
      JSON.stringify(value)
    )
    if (was === is) continue
    const known = [name.toLowerCase(), ...(REPORTED[name] ?? [])]
    // A limit that the format demands is set where the client said none.
    if (name === 'maxTokens' && was === undefined) continue
    if (
      !names.some((reported) =>
        known.some((one) => reported === one || (one.length > 3 && reported.startsWith(one)))
      )
    )
      problems.push(`${name}: ${was} became ${is}`)
  }
  problems.push(...missing('tools', before.tools, after.tools, fields))
  problems.push(...missing('parts', before.parts, after.parts, fields))
  return problems
}

type Item = { path: string; value: unknown }

/** Everything that is not reported is there, in order; and there is no more new than was reported. */
function missing(
  what: string,
  before: readonly Item[],
  after: readonly Item[],
  fields: readonly string[]
): string[] {
  const isLossy = ({ path }: Item) =>
    fields.some(
      (field) => path === field || path.startsWith(`${field}.`) || field.startsWith(`${path}.`)
    )
  const kept = before.filter((item) => !isLossy(item)).map(({ value }) => JSON.stringify(value))
  const there = after.map(({ value }) => JSON.stringify(value))
  let at = 0
  for (const value of kept) {
    const found = there.indexOf(value, at)
    if (found < 0) return [`${what}: ${value} is gone; there is ${there.join(' | ')}`]
    at = found + 1
  }
  const extra = there.length - kept.length
  // A turn that was rewritten may have got a part that the format demands.
  const turns = fields.filter((field) => /^messages(\.\d+)?$/.test(field)).length
  const lossy = before.length - kept.length + turns
  return extra > lossy
    ? [`${what}: ${extra} new for ${lossy} that were lost: ${there.join(' | ')}`]
    : []
}
