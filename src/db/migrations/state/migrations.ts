import { listMigrations } from '../migration'
import virtualKeys from './0000_virtual_keys.sql' with { type: 'text' }
import keyGroups from './0001_key_groups.sql' with { type: 'text' }
import journal from './meta/_journal.json'

export const stateMigrations = listMigrations(journal, {
  '0000_virtual_keys': virtualKeys,
  '0001_key_groups': keyGroups,
})
