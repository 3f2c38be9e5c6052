import { Option } from 'commander'
import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { readBundledModelList } from '../models/bundled-list'
import { compareLists } from '../models/list-difference'
import { loadModelListFile } from '../models/load-model-list'
import { type BookProvider, createModelBook } from '../models/model-book'
import { MODEL_KINDS, type ModelBook, type ModelKind } from '../models/model-card'
import { type ModelList, ModelListError } from '../models/model-list'
import { CATALOG } from '../providers/catalog'
import { proposeEquivalents } from '../routing/equivalents/propose'
import { nearestName } from '../std/nearest-name'
import { CommandError, EXIT } from './command-line'
import type { CommandOutput } from './command-line'
import {
  type DifferenceView,
  type ModelView,
  layOutDifference,
  layOutModel,
  layOutModels,
  viewDifference,
  viewModel,
} from './model-view'
import { type ModelsConfiguration, readModelsConfiguration } from './models-configuration'
import { configOption, jsonOption } from './options'

type CommonOptions = { config?: string; json?: boolean }
type ListOptions = CommonOptions & { provider?: string; kind?: ModelKind; search?: string }

/** What the commands look models up in. */
type Shelf = {
  book: ModelBook
  /** `provider/model` of all that is listed or named by the configuration without a glob. */
  names: readonly { provider: string; model: string }[]
}

/** Adds `models list|show|diff`: what is known of models, without a gateway, a key or a network. */
export function addModelsCommands(program: Command, output: CommandOutput): void {
  const models = program.command('models').description('what models take, can do and cost')

  models
    .command('list')
    .description("list models: the configuration's providers, or all without one")
    .option('--provider <name>', 'of this provider alone')
    .addOption(new Option('--kind <kind>', 'of this kind alone').choices(MODEL_KINDS))
    .option('--search <text>', 'whose name has this in it')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (options: ListOptions) => {
      const views = list(await openShelf(options), options)
      if (options.json === true) output.out(JSON.stringify(views))
      else if (views.length === 0) output.out('No model is like that.')
      else for (const line of layOutModels(views)) output.out(line)
    })

  models
    .command('show')
    .description('print all that is known of a model')
    .argument('<model>', 'its name, as provider/model')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (name: string, options: CommonOptions) => {
      const view = show(await openShelf(options), name)
      if (options.json === true) output.out(JSON.stringify(view))
      else for (const line of layOutModel(view)) output.out(line)
    })

  models
    .command('equivalents')
    .description(
      'print what failover.equivalents would ask in the place of a model, the nearest first'
    )
    .argument('<model>', 'its name, as provider/model with the provider as the catalog has it')
    .addOption(jsonOption())
    .action((name: string, options: { json?: boolean }) => {
      const found = equivalentsOf(name)
      if (options.json === true) output.out(JSON.stringify(found))
      else if (found.length === 0) output.out(`The table has nothing in the place of ${name}.`)
      else for (const { model, reason } of found) output.out(`${model}  ${reason}`)
    })

  models
    .command('diff')
    .description('print what a list would change against the bundled one')
    .argument('<file>', "JSON in LiteLLM's format, or in that of the bundled list")
    .addOption(jsonOption())
    .action((file: string, options: { json?: boolean }) => {
      const view: DifferenceView = viewDifference(
        compareLists(readBundledModelList(), readListFile(file))
      )
      if (options.json === true) output.out(JSON.stringify(view))
      else for (const line of layOutDifference(view)) output.out(line)
    })
}

function equivalentsOf(name: string): { model: string; reason: string }[] {
  const slash = name.indexOf('/')
  const found = proposeEquivalents(name.slice(0, slash), name.slice(slash + 1))
  return found.map(({ host, names, reason }) => ({ model: `${host}/${names[0]}`, reason }))
}

function list({ book, names }: Shelf, { provider, kind, search }: ListOptions): ModelView[] {
  const wanted = search?.toLowerCase()
  return names
    .filter((name) => provider === undefined || name.provider === provider)
    .map(({ provider, model }) => ({
      name: `${provider}/${model}`,
      card: book.find(provider, model),
    }))
    .filter(({ name }) => wanted === undefined || name.toLowerCase().includes(wanted))
    .flatMap(({ name, card }) => (card === undefined ? [] : [viewModel(name, card)]))
    .filter((view) => kind === undefined || view.kind === kind)
}

function show({ book, names }: Shelf, name: string): ModelView {
  const slash = name.indexOf('/')
  if (slash <= 0) {
    throw new CommandError(EXIT.usage, `models are named provider/model, and ${name} is not`)
  }
  const card = book.find(name.slice(0, slash), name.slice(slash + 1))
  if (card !== undefined) return viewModel(name, card)
  const near = nearestName(
    name,
    names.map(({ provider, model }) => `${provider}/${model}`)
  )
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  throw new CommandError(EXIT.notFound, `nothing is known of ${name}${hint}`)
}

async function openShelf({ config }: CommonOptions): Promise<Shelf> {
  const configuration = config ? await readModelsConfiguration(config) : undefined
  const list = configuration?.listFile
    ? readListFile(configuration.listFile)
    : readBundledModelList()
  const providers = configuration?.providers ?? allOf(list)
  const overrides = configuration?.overrides ?? []
  const book = createModelBook({ list, overrides, providers })
  return { book, names: namesOf(list, providers, overrides) }
}

function allOf(list: ModelList): BookProvider[] {
  const names = new Set([...list.providers.keys(), ...CATALOG.map((row) => row.name)])
  return [...names].map((name) => ({ name, catalogName: name }))
}

function namesOf(
  list: ModelList,
  providers: readonly BookProvider[],
  overrides: ModelsConfiguration['overrides']
): Shelf['names'] {
  const names = new Map<string, { provider: string; model: string }>()
  const add = (provider: string, model: string) =>
    names.set(`${provider}/${model}`, { provider, model })
  for (const { name, catalogName } of providers) {
    for (const model of list.providers.get(catalogName ?? '')?.keys() ?? []) add(name, model)
  }
  for (const { key } of overrides) {
    const slash = key.indexOf('/')
    if (!/[*?]/.test(key)) add(key.slice(0, slash), key.slice(slash + 1))
  }
  return [...names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => name)
}

function readListFile(file: string): ModelList {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new CommandError(EXIT.notFound, `${file} can't be read`)
  }
  try {
    return loadModelListFile(text, basename(file))
  } catch (error) {
    if (!(error instanceof ModelListError)) throw error
    throw new CommandError(EXIT.configuration, `${file}: ${error.message}`)
  }
}
