import { listMigrations } from '../migration'
import requests from './0000_requests.sql' with { type: 'text' }
import lossy from './0001_lossy.sql' with { type: 'text' }
import cost from './0002_cost.sql' with { type: 'text' }
import ledger from './0003_ledger.sql' with { type: 'text' }
import checkpoints from './0004_checkpoints.sql' with { type: 'text' }
import route from './0005_route.sql' with { type: 'text' }
import credential from './0006_credential.sql' with { type: 'text' }
import reason from './0007_reason.sql' with { type: 'text' }
import deferred from './0008_deferred.sql' with { type: 'text' }
import owned from './0009_owned.sql' with { type: 'text' }
import kept from './0010_kept.sql' with { type: 'text' }
import journal from './meta/_journal.json'

export const logMigrations = listMigrations(journal, {
  '0000_requests': requests,
  '0001_lossy': lossy,
  '0002_cost': cost,
  '0003_ledger': ledger,
  '0004_checkpoints': checkpoints,
  '0005_route': route,
  '0006_credential': credential,
  '0007_reason': reason,
  '0008_deferred': deferred,
  '0009_owned': owned,
  '0010_kept': kept,
})
