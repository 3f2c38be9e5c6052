import type { OwnedKind, OwnedObject } from '../db/owned-objects'

const MAX_OBJECTS = 4_096
/** Of their data, which is what makes some of them large. */
const MAX_DATA_LENGTH = 32 << 20

/**
 * The objects that were last made, changed or asked for, so that the next one to ask need not wait for the log's thread.
 * What is not among them is to be asked for there.
 */
export class RecentObjects {
  readonly #objects = new Map<string, OwnedObject | 'gone'>()
  #dataLength = 0

  /** As the database takes it: an id of somebody else stays theirs. */
  put(object: OwnedObject): void {
    const key = toKey(object.kind, object.id)
    const known = this.#objects.get(key)
    const isTheirs =
      known !== undefined &&
      known !== 'gone' &&
      (known.keyId !== object.keyId || known.provider !== object.provider)
    if (!isTheirs) this.#set(key, object)
  }

  remove(kind: OwnedKind, id: string): void {
    this.#set(toKey(kind, id), 'gone')
  }

  /** `gone` for one that was removed, or has expired; `undefined` for one that nothing is known of here. */
  find(kind: OwnedKind, id: string, nowMs: number): OwnedObject | 'gone' | undefined {
    const key = toKey(kind, id)
    const known = this.#objects.get(key)
    if (known === undefined || known === 'gone') return known
    if (known.expiresAtMs !== undefined && known.expiresAtMs <= nowMs) return 'gone'
    this.#set(key, known)
    return known
  }

  /** The last ones stand last. */
  #set(key: string, object: OwnedObject | 'gone'): void {
    this.#delete(key)
    this.#objects.set(key, object)
    this.#dataLength += dataLength(object)
    for (const oldest of this.#objects.keys()) {
      if (this.#objects.size <= MAX_OBJECTS && this.#dataLength <= MAX_DATA_LENGTH) return
      this.#delete(oldest)
    }
  }

  #delete(key: string): void {
    const known = this.#objects.get(key)
    if (known === undefined) return
    this.#dataLength -= dataLength(known)
    this.#objects.delete(key)
  }
}

function toKey(kind: OwnedKind, id: string): string {
  return `${kind} ${id}`
}

function dataLength(object: OwnedObject | 'gone'): number {
  return object === 'gone' ? 0 : (object.data?.length ?? 0)
}
