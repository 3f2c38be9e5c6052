/** What providers keep under ids that they give out. */
export type ObjectKind = 'file' | 'batch' | 'response'

/**
 * `make` gives out an id, `list` shows those of a key, `read` shows what is kept under one, `drop` has it gone, `act`
 * is anything else that is done to it.
 */
export type ObjectAction = 'make' | 'list' | 'read' | 'drop' | 'act'

/** A call that goes to a path of its own at the provider, in the client's own format. */
export type DirectCall = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Behind the version, with the query that may pass. */
  readonly path: string
  /** It is billed. */
  readonly isCharged?: true
  /** Sent twice, it might be done twice. */
  readonly isOnce?: true
}

/** A call about what is kept at a provider. */
export type ObjectCall = DirectCall & {
  readonly kind: ObjectKind
  readonly action: ObjectAction
  /** Of what is there already. */
  readonly id: string | undefined
  /** What comes is no JSON object: a file's content, a batch's results. */
  readonly isFile: boolean
  /** Parameters of a list, and of an upload: as the client wrote them. */
  readonly query: URLSearchParams
}
