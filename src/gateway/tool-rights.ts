import { GatewayError } from '../errors/gateway-error'
import { explainTool, restrictsTools } from '../keys/rights'
import type { Envelope } from '../protocols/envelope'
import { findHostedTools } from '../protocols/hosted-tools'
import type { Caller } from './caller'

/**
 * Throws `tool_not_allowed` where a chat brings a tool that runs elsewhere than at the client and that its caller may
 * not use. Bodies are only looked into for callers whose tools are restricted.
 */
export function assertTools(caller: Caller, { operation, body }: Envelope): void {
  if (operation !== 'generate' || !restrictsTools(caller)) return
  for (const tool of findHostedTools(body)) {
    const denial = explainTool(caller, tool)
    if (denial) throw new GatewayError('tool_not_allowed', denial.message, { param: 'tools' })
  }
}
