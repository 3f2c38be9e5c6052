import type { OwnedObject } from '../db/owned-objects'
import type { GatewayParts } from './gateway-parts'
import { lookAtBatch } from './settle-batch'
import { lookAtResponse } from './settle-response'

export type BatchWatch = {
  parts: GatewayParts
  /** From the end of one look to the next; asked anew each time. */
  pauseMs(): number
  /** Its state or results can't be read: told each time, tried again. */
  onFailure(object: OwnedObject, error: unknown): void
}

/**
 * Looks now and then how batches, and responses in the background, are doing whose cost is still held, those of earlier
 * processes too. Gives the function that stops it.
 */
export function watchBatches({ parts, pauseMs, onFailure }: BatchWatch): () => void {
  let isStopped = false
  let timer: ReturnType<typeof setTimeout>

  async function look(): Promise<void> {
    for (const { reference } of await parts.governor.listDeferred()) {
      if (isStopped) return
      const [batch] = await parts.log.owned({ objectKind: 'batch', id: reference })
      if (batch) await lookAtBatch(parts, batch).catch((error: unknown) => onFailure(batch, error))
      const [response] = batch
        ? []
        : await parts.log.owned({ objectKind: 'response', id: reference })
      if (response)
        await lookAtResponse(parts, response).catch((error: unknown) => onFailure(response, error))
    }
  }

  async function run(): Promise<void> {
    // A log that does not answer now answers later.
    await look().catch(() => {})
    if (!isStopped) wait()
  }

  function wait(): void {
    timer = setTimeout(() => void run(), pauseMs())
    timer.unref()
  }

  wait()
  return () => {
    isStopped = true
    clearTimeout(timer)
  }
}
