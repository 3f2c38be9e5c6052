/** A request before it has a credential. */
export type UnsignedRequest = {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/** What is known of a refusal; each member makes the next step surer, none is needed. */
export type Refusal = {
  /**
   * What `sign` gave for the refused request. One that was signed before the last renewal then costs nothing: it says
   * nothing about the credential at hand.
   */
  readonly signed?: Readonly<Record<string, string>> | undefined
  /** The answer's `date` header: where it shows that this machine's clock is wrong, signatures follow the host's. */
  readonly date?: string | null | undefined
}

/** A short-lived credential that is kept fresh: asked for ahead of its end, once for all who wait. */
export type Credential = {
  /**
   * The headers that make a request known to the host. A token comes at once while it is good. A promise comes where
   * none is at hand, and always where requests are signed one by one (AWS), since the library signs that way; it
   * rejects with `upstream_unauthorized` when no credential can be had.
   */
  sign(request: UnsignedRequest): Record<string, string> | Promise<Record<string, string>>
  /** The host refused what `sign` gave last: the next one asks anew, at most once in a few seconds. */
  refused(refusal?: Refusal): void
  /** Ends a fetch under way; `sign` rejects from now on. */
  close(): void
}
