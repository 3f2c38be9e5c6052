import type { OwnedObject } from '../db/owned-objects'
import type { GatewayParts } from './gateway-parts'
import { lookAtBatch } from './settle-batch'

export type BatchWatch = {
  parts: GatewayParts
  everyMs: number
  /** A batch's state or results can't be read: told each time, tried again. */
  onFailure(batch: OwnedObject, error: unknown): void
}

/**
 * Looks now and then how batches are doing whose cost is still held, those of earlier processes too. Gives the function
 * that stops it.
 */
export function watchBatches({ parts, everyMs, onFailure }: BatchWatch): () => void {
  let isStopped = false
  async function look(): Promise<void> {
    for (const { reference } of await parts.governor.listDeferred()) {
      if (isStopped) return
      const [batch] = await parts.log.owned({ objectKind: 'batch', id: reference })
      if (batch) await lookAtBatch(parts, batch).catch((error: unknown) => onFailure(batch, error))
    }
  }
  const timer = setInterval(() => void look().catch(() => {}), everyMs)
  timer.unref()
  return () => {
    isStopped = true
    clearInterval(timer)
  }
}
