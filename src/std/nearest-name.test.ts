import { expect, test } from 'bun:test'
import { nearestName } from './nearest-name'

const KNOWN = ['type', 'base_url', 'api_key', 'models', 'model_list', 'proxy', 'host', 'port']

test.each([
  ['api_kye', 'api_key'],
  ['apikey', 'api_key'],
  ['API_KEY', 'api_key'],
  ['baseurl', 'base_url'],
  ['model', 'models'],
  ['prot', 'port'],
  ['hots', 'host'],
])('%s was meant to be %s', (name, meant) => {
  expect(nearestName(name, KNOWN)).toBe(meant)
})

test.each(['budget', 'x', '', 'completely_else', 'a'.repeat(100_000)])(
  'nothing is near',
  (name) => {
    expect(nearestName(name, KNOWN)).toBeUndefined()
  }
)

test('a name is not its own suggestion, and the earlier of two equally near ones wins', () => {
  expect(nearestName('port', ['port'])).toBeUndefined()
  expect(nearestName('cat', ['bat', 'hat'])).toBe('bat')
})
