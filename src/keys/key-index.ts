import type { HashToken } from './token'
import type { VirtualKey } from './virtual-key'

/** Every key that was ever issued, in memory, by the hash of its token. */
export type KeyIndex = {
  /** The key of a token, whatever its state. */
  find(token: string): VirtualKey | undefined
  /** Adds a key, or puts it in the place of the one that was. */
  put(tokenHash: string, key: VirtualKey): void
  size(): number
}

/** Makes an empty index of tokens hashed by `hashToken`. */
export function createKeyIndex(hashToken: HashToken): KeyIndex {
  const keys = new Map<string, VirtualKey>()
  return {
    find: (token) => keys.get(hashToken(token)),
    put: (tokenHash, key) => void keys.set(tokenHash, key),
    size: () => keys.size,
  }
}
