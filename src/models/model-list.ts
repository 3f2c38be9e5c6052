import type { ModelCard } from './model-card'

/** Cards by the catalog's name of the provider and the provider's name of the model. */
export type ModelList = {
  /** What a row of the log says of where a price stands. */
  readonly version: string
  /** The day it was taken, as `2026-11-23`; empty where nobody said. */
  readonly taken: string
  readonly providers: ReadonlyMap<string, ListedModels>
}

/** The models of one provider; a card may be made anew each time it is asked for. */
export type ListedModels = {
  get(model: string): ModelCard | undefined
  keys(): Iterable<string>
}

/** A text is no list of models; the message names the field and fits behind the file's name. */
export class ModelListError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'ModelListError'
  }
}
