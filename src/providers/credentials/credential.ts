/** A request before it has a credential. */
export type UnsignedRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

/** A short-lived credential that is kept fresh: asked for ahead of its end, once for all who wait. */
export type Credential = {
  /**
   * The headers that make a request known to the host, at once while the credential is good. A promise only where
   * none is at hand; it rejects with `upstream_unauthorized` when none can be had.
   */
  sign(request: UnsignedRequest): Record<string, string> | Promise<Record<string, string>>
  /** The host refused what `sign` gave last: the next one asks anew. */
  refused(): void
  close(): void
}
