import { describe, expect, test } from 'bun:test'
import { readBundledModelList } from '../../models/bundled-list'
import { CATALOG } from '../../providers/catalog'
import { proposeEquivalents } from './propose'
import { MODELS, TIERS } from './table'

const namesOf = (host: string, model: string) =>
  proposeEquivalents(host, model).map((proposal) => `${proposal.host}/${proposal.names[0]}`)

describe('the table', () => {
  test('names hosts of the catalog and models that the bundled list knows', () => {
    const { providers } = readBundledModelList()
    const hosts = new Set(CATALOG.map(({ name }) => name))
    const unknown: string[] = []
    for (const names of Object.values(MODELS))
      for (const [host, name] of Object.entries(names)) {
        const cards = providers.get(host === 'azure-anthropic' ? 'azure' : host)
        const given = typeof name === 'string' ? [name] : name
        if (!hosts.has(host) || !given.some((one) => cards?.get(one) !== undefined))
          unknown.push(`${host}/${name}`)
      }
    expect(unknown).toEqual([])
  })

  test('has each model of a tier, in one tier at most', () => {
    const placed = Object.values(TIERS).flat()
    expect(new Set(placed).size).toBe(placed.length)
    expect(placed.filter((id) => !Object.hasOwn(MODELS, id))).toEqual([])
  })
})

describe('equivalents', () => {
  test('are the same model elsewhere, then others of its tier', () => {
    const names = namesOf('anthropic', 'claude-sonnet-5-5')
    expect(names.slice(0, 3)).toEqual([
      'vertex/claude-sonnet-5-5',
      'azure-anthropic/claude-sonnet-5-5',
      'bedrock/global.anthropic.claude-sonnet-5-5',
    ])
    expect(names[3]).toBe('openai/gpt-6.1-sol')
    expect(names.filter((name) => name.startsWith('anthropic/'))).toEqual([])
  })

  test.each([
    ['anthropic', 'claude-sonnet-4-5-20250929'],
    ['vertex', 'claude-sonnet-4-5@20250929'],
    ['bedrock', 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'],
    ['openai', 'gpt-4o-2024-08-06'],
  ])('are found by the name of a making: %s/%s', (host, model) => {
    expect(namesOf(host, model).length).toBeGreaterThan(3)
  })

  test('are none of a model that nobody compared', () => {
    expect(namesOf('openai', 'gpt-3.5-turbo')).toEqual([])
    expect(namesOf('elsewhere', 'gpt-4o')).toEqual([])
  })
})
