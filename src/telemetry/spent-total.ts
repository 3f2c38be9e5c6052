import type { AttemptRow } from '../db/log-schema'
import type { UsageProvenance } from '../protocols/usage'
import type { EndRecord } from './records'

/** What a request came to in all. A cost is `undefined` where some part of it is unknown, and none where there is none. */
export type RequestTotal = {
  readonly costNanoUsd: number | undefined
  readonly provenance: string | undefined
  readonly inputTokens: number | undefined
  readonly outputTokens: number | undefined
  readonly usageProvenance: UsageProvenance | undefined
}

/** The request's last attempt, as its end tells of it, and those that were settled by themselves. */
export function totalOf(end: EndRecord, attempts: readonly AttemptRow[]): RequestTotal {
  const { usage, cost } = end
  let { inputTokens, outputTokens } = usage ?? NOTHING
  let costNanoUsd = cost?.costNanoUsd
  let provenance: string | undefined = cost?.provenance
  let { usageProvenance } = end
  for (const { spent } of attempts) {
    if (spent === undefined || spent.provenance === 'none') continue
    inputTokens = plus(inputTokens, spent.inputTokens)
    outputTokens = plus(outputTokens, spent.outputTokens)
    const isUnknown = provenance !== undefined && costNanoUsd === undefined
    costNanoUsd =
      isUnknown || spent.costNanoUsd === undefined
        ? undefined
        : (costNanoUsd ?? 0) + spent.costNanoUsd
    provenance = weaker(provenance, spent.provenance)
    if (spent.provenance === 'estimated') usageProvenance = 'estimated'
  }
  return { costNanoUsd, provenance, inputTokens, outputTokens, usageProvenance }
}

const NOTHING = { inputTokens: undefined, outputTokens: undefined }

function plus(count: number | undefined, more: number | undefined): number | undefined {
  return count === undefined ? more : count + (more ?? 0)
}

/** A sum is as sure as its least sure part. */
function weaker(one: string | undefined, other: string): string {
  return one === 'unknown' || (one === 'estimated' && other !== 'unknown') ? one : other
}
