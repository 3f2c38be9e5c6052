import type { ModelPrice } from './price'

export const ABILITIES = [
  'vision',
  'audio-input',
  'audio-output',
  'pdf-input',
  'video-input',
  'tools',
  'parallel-tools',
  'schema',
  'reasoning',
  'prompt-caching',
  'web-search',
  'computer-use',
  'prefill',
] as const

/** What a model can do beside taking and giving text. */
export type Ability = (typeof ABILITIES)[number]

export const MODEL_KINDS = [
  'chat',
  'responses',
  'completion',
  'embedding',
  'rerank',
  'moderation',
  'image',
  'speech',
  'transcription',
  'video',
  'ocr',
  'search',
  'other',
] as const

export type ModelKind = (typeof MODEL_KINDS)[number]

/** One model at one provider: what it takes, can do and costs. `undefined` is unknown, never zero or none. */
export type ModelCard = {
  /** The catalog's name of the provider, or the configuration's for models of its own. */
  readonly provider: string
  /** The name the provider knows the model by. */
  readonly model: string
  readonly kind: ModelKind
  /** Tokens of input and output together, or of the input where only that is known. */
  readonly contextTokens: number | undefined
  readonly maxOutputTokens: number | undefined
  /** `undefined`: no list says what it can do. */
  readonly abilities: readonly Ability[] | undefined
  readonly price: ModelPrice | undefined
  /** What said so: the bundled list's version, a file's, or `configuration`. A row of the log names it. */
  readonly origin: string
}

/** Finds cards. In memory, for the path of a request. */
export type ModelBook = {
  /** The card of a model by the provider's catalog name; dated and aliased names are looked up as their family. */
  find(provider: string, model: string): ModelCard | undefined
}
