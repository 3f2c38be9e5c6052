import type { Grant } from '../ledger/governor'
import { formatUsd } from '../pricing/format-usd'
import type { Protocol } from '../protocols/protocol'
import type { RequestRecord } from './request-record'

/** Adds to the headers of an answer what is known when its head leaves. */
export function noteHead(
  headers: Record<string, string>,
  record: RequestRecord,
  { client }: Protocol,
  grant: Grant | undefined
): void {
  record.headLeaves()
  headers['x-request-id'] = record.id
  const { requestIdHeader, renderLimits } = client
  if (requestIdHeader !== undefined) headers[requestIdHeader] = record.id
  const lossy = record.lossy()
  if (lossy !== undefined) headers['x-tg-lossy'] = lossy
  headers['server-timing'] = record.serverTiming()
  // Our own limits, which the provider's say nothing of.
  if (grant !== undefined && !grant.isUnlimited && renderLimits !== undefined)
    Object.assign(headers, renderLimits(grant.rates(), Date.now()))
  if (record.target === undefined) return
  const costNanoUsd = record.cost?.costNanoUsd
  if (costNanoUsd !== undefined)
    headers['x-tg-cost-usd'] = formatUsd(costNanoUsd + record.spentNanoUsd)
  headers['x-tg-model'] = record.target.headerName
  headers['x-tg-attempts'] = String(Math.max(1, record.begunAttempts))
}
