// Makes src/models/bundled/models.json of LiteLLM's list, and keeps its licence beside it:
//
//   bun build/model-list.ts litellm-1.109.1 2026-11-23 PATH_OF_JSON PATH_OF_LICENSE
//
// The JSON is `litellm/model_prices_and_context_window_backup.json` in the wheel of
// https://pypi.org/project/litellm/, the licence `litellm-….dist-info/licenses/LICENSE`.
import { join } from 'node:path'
import { renderCompactList } from '../src/models/compact-list'
import { convertLiteLlmList } from '../src/models/litellm-list'
import { isRecord } from '../src/std/record'

const BUNDLED = join(import.meta.dir, '..', 'src', 'models', 'bundled')

const [version, taken, jsonPath, licensePath] = process.argv.slice(2)
if (version && taken && jsonPath && licensePath) await make(version, taken, jsonPath, licensePath)
else console.error('usage: bun build/model-list.ts VERSION DAY PATH_OF_JSON PATH_OF_LICENSE')

async function make(version: string, taken: string, jsonPath: string, licensePath: string) {
  const entries: unknown = await Bun.file(jsonPath).json()
  if (!isRecord(entries)) throw new Error(`${jsonPath} is no JSON object`)
  const { list, rounded } = convertLiteLlmList(entries, { version, taken })
  const text = renderCompactList(list)
  await Bun.write(join(BUNDLED, 'models.json'), text)
  await Bun.write(join(BUNDLED, 'LICENSE-litellm'), Bun.file(licensePath))
  for (const line of rounded) console.log(`rounded: ${line}`)
  let models = 0
  for (const cards of list.providers.values()) models += [...cards.keys()].length
  console.log(`${models} models of ${list.providers.size} providers, ${text.length} bytes`)
}
