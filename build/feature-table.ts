// Writes the table of what each API can be told into the README: `bun build/feature-table.ts`.
import { join } from 'node:path'
import { renderFeatureTable } from '../test/protocols/features'

const path = join(import.meta.dir, '../README.md')
const text = await Bun.file(path).text()
const marked = /<!-- features -->[^]*?<!-- \/features -->/
if (!marked.test(text)) throw new Error('README.md has lost its marks <!-- features -->')
await Bun.write(
  path,
  text.replace(marked, `<!-- features -->\n\n${renderFeatureTable()}\n\n<!-- /features -->`)
)
