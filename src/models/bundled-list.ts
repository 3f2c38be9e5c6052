import { readFileSync } from 'node:fs'
import bundled from './bundled/models.json' with { type: 'file' }
import { type ModelListOptions, parseModelList } from './load-model-list'
import type { ModelList } from './model-list'

/**
 * The list that comes with this version, made by build/model-list.ts of LiteLLM's, whose licence is beside it. Read
 * from its file each time, so that nothing of it stays in memory but what is kept.
 */
export function readBundledModelList(options: ModelListOptions = {}): ModelList {
  // The types have the JSON itself there; imported as a file it is the path.
  const path: string = String(bundled)
  return parseModelList(readFileSync(path, 'utf8'), options)
}
