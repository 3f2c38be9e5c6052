import type { RouteStrategy } from './routes-fields'

/** A public model name and what stands behind it. References to other routes are followed, so that it is a tree. */
export type RouteSettings = {
  readonly name: string
  readonly root: RouteGroup
  /** Turns of one conversation stay at the target that served the last one. */
  readonly affinity: boolean
  /** What is done beyond trying one target after the other; left out for nothing. */
  readonly policy?: RoutePolicy
}

/** Of the route that was asked for; those that it refers to have no say. */
export type RoutePolicy = {
  /** The route's name. */
  readonly route: string
  /** Another target goes on with a text whose stream breaks off. */
  readonly continuesStreams: boolean
  readonly hedge: HedgeSettings | undefined
}

/** When a second target is asked while the first is still silent. */
export type HedgeSettings = {
  /** After so many milliseconds, or after the 95th percentile of what the target took lately. */
  readonly after: 'p95' | number
  /** The share of the route's requests that may have a second attempt, 0 to 1. */
  readonly share: number
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
