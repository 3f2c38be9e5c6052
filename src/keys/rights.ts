import { matchesGlob } from '../std/glob'
import type { VirtualKey } from './virtual-key'

/** Whether the key may use a model, named `provider/model`. A key without a list may use every one. */
export function mayUseModel(key: Pick<VirtualKey, 'models'>, model: string): boolean {
  if (key.models.length === 0) return true
  for (const glob of key.models) if (matchesGlob(glob, model)) return true
  return false
}
