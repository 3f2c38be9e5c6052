import type { Command } from 'commander'
import type { GroupKind } from '../db/group-queries'
import { GroupAdministration, type GroupRecord } from '../keys/group-administration'
import type { CommandOutput } from './command-line'
import type { Environment } from './data-directory'
import { addGroupOptions, type GroupOptions, toGroupInput } from './key-options'
import { layOutGroups, layOutView, viewGroup } from './key-view'
import { dataOption, jsonOption } from './options'
import { addOverrideOptions, type OverrideOptions, toOverride } from './override-command'
import { withKeys } from './with-keys'

type CommonOptions = { data?: string; json?: boolean }
type CreateOptions = CommonOptions & GroupOptions & { name: string; organization?: string }
type ListOptions = CommonOptions & { organization?: string }

/** Adds `organizations` or `teams` with `create|list|show|update|override|delete`: both work alike. */
export function addGroupCommands(
  program: Command,
  kind: GroupKind,
  output: CommandOutput,
  env: Environment
): void {
  const isTeam = kind === 'team'
  const groups = program
    .command(`${kind}s`)
    .description(isTeam ? 'make and manage teams of keys' : 'make and manage organizations')
  const common = (name: string, description: string) =>
    groups.command(name).description(description).addOption(dataOption()).addOption(jsonOption())
  const run = (options: CommonOptions, act: (groups: GroupAdministration) => void) =>
    withKeys(options.data, env, (queries) => act(new GroupAdministration(kind, queries)))
  const done = (record: GroupRecord, verb: string, { json }: CommonOptions) => {
    const view = viewGroup(record)
    const text = `The ${kind} ${view.name} (${view.id}) is ${verb}.`
    output.out(json === true ? JSON.stringify(view) : text)
  }
  const ofOrganization = (command: Command, description: string) =>
    isTeam ? command.option('--organization <name>', description) : command

  const create = common('create', `make ${isTeam ? 'a team' : 'an organization'}`)
  create.requiredOption('--name <name>', 'what keys and limits call it')
  ofOrganization(addGroupOptions(create), 'the one it belongs to; default unless given').action(
    (options: CreateOptions) =>
      run(options, (groups) => {
        const { name, organization } = options
        done(groups.create({ name, organization, ...toGroupInput(options) }), 'created', options)
      })
  )
  ofOrganization(common('list', `list every ${kind}`), 'only those of one').action(
    (options: ListOptions) =>
      run(options, (groups) => {
        const views = groups.list(options.organization).map(viewGroup)
        if (options.json === true) output.out(JSON.stringify(views))
        else if (views.length === 0) output.out(`There is no ${kind} here.`)
        else for (const line of layOutGroups(views)) output.out(line)
      })
  )
  common('show', `show ${isTeam ? 'a team' : 'an organization'}`)
    .argument(`<${kind}>`, 'its name or id')
    .action((idOrName: string, options: CommonOptions) =>
      run(options, (groups) => {
        const view = viewGroup(groups.get(idOrName))
        if (options.json === true) output.out(JSON.stringify(view))
        else for (const line of layOutView(view)) output.out(line)
      })
    )
  addChangingCommands(kind, { common, run, done })
}

type Tools = {
  common(name: string, description: string): Command
  run(options: CommonOptions, act: (groups: GroupAdministration) => void): void
  done(record: GroupRecord, verb: string, options: CommonOptions): void
}

function addChangingCommands(kind: GroupKind, { common, run, done }: Tools): void {
  addGroupOptions(
    common('update', "change what its keys may do; '' clears an option").argument(
      `<${kind}>`,
      'its name or id'
    )
  ).action((idOrName: string, options: CommonOptions & GroupOptions) =>
    run(options, (groups) =>
      done(groups.update(idOrName, toGroupInput(options)), 'updated', options)
    )
  )
  addOverrideOptions(
    common('override', `give its budgets or limits other amounts for a time`).argument(
      `<${kind}>`,
      'its name or id'
    )
  ).action((idOrName: string, options: CommonOptions & OverrideOptions) =>
    run(options, (groups) => {
      const change = toOverride(groups.get(idOrName).profile, options)
      done(groups.update(idOrName, change), 'updated', options)
    })
  )
  common('delete', 'delete it, unless something belongs to it')
    .argument(`<${kind}>`, 'its name or id')
    .action((idOrName: string, options: CommonOptions) =>
      run(options, (groups) => done(groups.delete(idOrName), 'deleted', options))
    )
}
