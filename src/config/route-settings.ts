import type { RouteStrategy } from './routes-fields'

/** A public model name and what stands behind it. References to other routes are followed, so that it is a tree. */
export type RouteSettings = {
  readonly name: string
  readonly root: RouteGroup
  /** Turns of one conversation stay at the target that served the last one. */
  readonly affinity: boolean
}

export type RouteNode = RouteTarget | RouteGroup

/** One model of one provider. */
export type RouteTarget = {
  readonly kind: 'target'
  /** `provider/model` */
  readonly model: string
  /** What is sent in the place of what the client said; `undefined` for nothing. */
  readonly params: RouteParams | undefined
}

/** Members of a request's body by their name in OpenAI's chat format; null takes one out. */
export type RouteParams = Readonly<Record<string, unknown>>

export type RouteGroup = OrderedGroup | ConditionalGroup

/** Targets and nested routes that a strategy puts in order. */
export type OrderedGroup = {
  readonly kind: 'ordered'
  /** Where it stands: the route's name, or `smart.targets.1`. */
  readonly label: string
  readonly strategy: Exclude<RouteStrategy, 'conditional'>
  readonly members: readonly RouteMember[]
}

export type RouteMember = {
  readonly node: RouteNode
  /** Counts in a weighted group; 1 elsewhere. */
  readonly weight: number
}

/** The first rule that is true says where a request goes. */
export type ConditionalGroup = {
  readonly kind: 'conditional'
  readonly label: string
  /** By which `hour` and `weekday` go. */
  readonly timezone: string
  readonly rules: readonly RouteRule[]
  readonly otherwise: RouteNode
}

export type RouteRule = {
  /** In CEL, known to be a condition. */
  readonly when: string
  readonly use: RouteNode
}
