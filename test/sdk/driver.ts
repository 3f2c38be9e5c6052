import type { Upstream } from './upstreams'

/** JSON Schema of an object, in the words that every SDK's types take. */
export type ObjectSchema = {
  type: 'object'
  properties: Record<string, { type: 'string' | 'integer'; description?: string }>
  required: string[]
  additionalProperties: false
}

export type ToolSpec = { name: string; description: string; parameters: ObjectSchema }

/** What is asked, whichever SDK says it. */
export type Question = {
  /** As the gateway knows it: `claude/sim-1`. */
  model: string
  prompt: string
  streamed: boolean
  tools?: readonly ToolSpec[]
  /** The answer shall be JSON of this schema. */
  schema?: ObjectSchema
  /** The prompt shows the picture of one pixel. */
  shows?: 'pixel'
  /** Reasoning is switched on. */
  thinks?: boolean
}

/** What an application reads off the SDK's answer. */
export type Said = {
  text: string
  /** In how many pieces the text came; 1 where it was whole. */
  pieces: number
  reasoning: string
  calls: { id: string; name: string; input: unknown }[]
  inputTokens: number | undefined
  outputTokens: number | undefined
  /** Goes on with the results of `calls`, in their order. */
  answer(results: readonly string[]): Promise<Said>
}

/** Where a client finds the gateway, and its key. */
export type Access = { url: string; key: string }

/** Statuses that every SDK has an error of its own for. */
export type FailureStatus = 400 | 401 | 404 | 429

/** One SDK as an application uses it: the suite asks through it, and looks at what its own types say. */
export type Driver = {
  title: string
  ask(access: Access, question: Question): Promise<Said>
  /** The class that the SDK raises for a status, and members of it. */
  failures: Readonly<Record<FailureStatus, Failure>>
  /** The provider's advice when to come back, as the SDK's error holds it; absent where it has none. */
  retryAfterOf?(error: unknown): string | undefined
  /** What the SDK can't say or doesn't show. */
  lacks?: readonly Ability[]
}

export type Failure = { isOne(error: unknown): boolean; members: object }

/** The errors of a class that an application would write behind `instanceof`. */
export function raises(
  type: abstract new (...given: never[]) => unknown,
  members: object
): Failure {
  return { isOne: (error) => error instanceof type, members }
}

export type Ability =
  'schema' | 'image' | 'reasoning' | 'reasoning-shown' | 'usage' | 'usage-at-the-end'

/** `claude/sim-1`; on Bedrock a model whose name tells that it is one of Anthropic's, since only those can think. */
export function modelOf(upstream: Upstream, model?: string): string {
  return `${upstream}/${model ?? (upstream === 'bedrock' ? 'anthropic.sim-1' : 'sim-1')}`
}

/** Members to spread into a request where there is a value. */
export function when<T, M extends object>(value: T | undefined, make: (value: T) => M) {
  return value === undefined ? {} : make(value)
}
