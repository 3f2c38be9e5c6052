import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { renderFeatureTable } from './features'

test('the table in the README says what the translations do', async () => {
  const text = await Bun.file(join(import.meta.dir, '../../README.md')).text()
  const [, table] = /<!-- features -->\n\n([^]*?)\n\n<!-- \/features -->/.exec(text) ?? []
  // `bun build/feature-table.ts` writes it anew.
  expect(table).toBe(renderFeatureTable())
})
