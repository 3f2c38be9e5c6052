// What the gateway itself does for a request, piece by piece: `bun run bench`. The table at the end holds
// each piece's median against its budget; one over budget ends the program with 1.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from 'mitata'
import { layOutTable } from './load/figures'
import { createAuthenticatePieces } from './micro/authenticate'
import { createBodyScanPieces } from './micro/body-scan'
import { createLedgerPieces } from './micro/ledger'
import { createLogPieces } from './micro/log-encode'
import type { Piece } from './micro/piece'
import { createPricingPieces } from './micro/pricing'
import { createRoutingPieces } from './micro/routing'
import { createRelayPieces } from './micro/sse-relay'
import { createTranslationPieces } from './micro/translation'

/** Gives whether every median is within its budget. */
async function measure(pieces: readonly Piece[]): Promise<boolean> {
  for (const piece of pieces) piece.register()
  const { benchmarks } = await run({ colors: process.stdout.isTTY === true, throw: true })
  const medians = new Map(
    benchmarks.map(({ alias, runs }) => [alias, (runs[0]?.stats?.p50 ?? NaN) / 1_000])
  )
  let allWithin = true
  const rows = pieces.map(({ name, budgetMicros }) => {
    const micros = medians.get(name) ?? NaN
    const isWithin = micros <= budgetMicros
    allWithin &&= isWithin
    return [name, `${micros.toFixed(2)} µs`, `≤ ${budgetMicros} µs`, isWithin ? 'pass' : 'FAIL']
  })
  console.log(`\n${layOutTable(['piece', 'median', 'budget', 'verdict'], rows).join('\n')}`)
  return allWithin
}

const directory = mkdtempSync(join(tmpdir(), 'tollgate-bench-'))
const removeDirectory = () => rmSync(directory, { recursive: true, force: true })
process.on('SIGINT', () => {
  removeDirectory()
  process.exit(130)
})
const allWithin = await measure([
  ...createAuthenticatePieces(),
  ...createBodyScanPieces(),
  ...createLedgerPieces(),
  ...createRelayPieces(),
  ...createLogPieces(directory),
  ...createTranslationPieces(),
  ...createPricingPieces(),
  ...(await createRoutingPieces()),
]).finally(removeDirectory)
process.exit(allWithin ? 0 : 1)
