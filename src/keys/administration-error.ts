/** `invalid`: what was given can't be taken; `not-found`: it names nothing; `conflict`: what is there forbids it. */
export type AdministrationFailure = 'invalid' | 'not-found' | 'conflict'

/** Why keys, teams and organizations were left as they are; the message is for the one who asked. */
export class AdministrationError extends Error {
  readonly failure: AdministrationFailure

  constructor(failure: AdministrationFailure, message: string) {
    super(message)
    this.name = 'AdministrationError'
    this.failure = failure
  }
}
