import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type ModelSettings, resolveModels } from '../config/model-settings'
import { modelsSection } from '../config/models-fields'
import { renderProblems, toProblem } from '../config/problem'
import { PROVIDER_FAMILIES } from '../config/provider-row'
import { type SourceText, parseSourceText } from '../config/source-text'
import type { BookProvider } from '../models/model-book'
import { isRecord, recordOf, stringOf } from '../std/record'
import { CommandError, EXIT } from './command-line'

/** What a configuration file says that matters to what is known of models. */
export type ModelsConfiguration = {
  readonly overrides: readonly ModelSettings[]
  /** `undefined` where the file names none: then those of the list. */
  readonly providers: readonly BookProvider[] | undefined
  /** The path of a newer list. */
  readonly listFile: string | undefined
}

/**
 * Reads those parts of a configuration alone, so that no secret has to be there to look at prices. Ends the command
 * where the file can't be read or its `models:` are wrong; the rest is for `tollgate check`.
 */
export async function readModelsConfiguration(file: string): Promise<ModelsConfiguration> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new CommandError(EXIT.configuration, `${file} can't be read`)
  }
  const source = await parseSourceText(text, file)
  if (source.problems.length > 0) {
    throw new CommandError(EXIT.configuration, renderProblems(source.problems).trimEnd())
  }
  const root = isRecord(source.value) ? source.value : {}
  const listFile = stringOf(root, 'model_list')
  return {
    overrides: readOverrides(root['models'], source, file),
    providers: readProviders(recordOf(root, 'providers')),
    listFile: listFile === undefined ? undefined : resolve(dirname(file), listFile),
  }
}

function readOverrides(
  section: unknown,
  source: SourceText,
  file: string
): readonly ModelSettings[] {
  const read = modelsSection().safeParse(section ?? {})
  if (read.success) return resolveModels(read.data)
  const problems = read.error.issues.map(({ path, message }) => {
    const fieldPath = ['models', ...path.filter((part) => typeof part !== 'symbol')]
    const details = { message: 'is not valid', allowed: message }
    return toProblem(file, source.placeOf(fieldPath, 'value'), fieldPath, details)
  })
  throw new CommandError(EXIT.configuration, renderProblems(problems).trimEnd())
}

/** A host at an address of its own under another name than its protocol's is none of the catalog's. */
function readProviders(
  providers: Record<string, unknown> | undefined
): readonly BookProvider[] | undefined {
  if (providers === undefined) return undefined
  return Object.entries(providers).map(([name, fields]) => {
    const type = stringOf(fields, 'type') ?? name
    const isFamily = PROVIDER_FAMILIES.some((family) => family === type)
    const isOwn = isFamily && type !== name && stringOf(fields, 'base_url') !== undefined
    return { name, catalogName: isOwn ? undefined : type, region: stringOf(fields, 'region') }
  })
}
