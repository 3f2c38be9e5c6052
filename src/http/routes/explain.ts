import type { Hono } from 'hono'

import { findPrevious, planAtKeeper } from '../../gateway/follow-previous'
import type { GatewayParts } from '../../gateway/gateway-parts'
import { readEnvelope } from '../../gateway/read-envelope'
import { boundInput } from '../../ledger/input-bound'
import { openaiChat } from '../../protocols/openai/openai'
import { scanMembers } from '../../protocols/openai/request'
import type { Plan } from '../../routing/plan'
import { readJsonString } from '../../std/json-scan'
import { answerJson } from '../answer-json'
import type { AppEnv } from '../app'
import { toClientCall } from '../client-call'
import { authenticateHttp } from '../credentials'
import type { BodyReads } from '../read-body'

export type ExplainRoutesOptions = {
  gateway: GatewayParts
  bodies: BodyReads
  /** Throws when the request's address is not allowed. */
  check(request: Request): void
}

/** POST /v1/route/explain: where a chat with this body would go, and why. Nobody is asked, and nothing is spent. */
export function addExplainRoutes(
  app: Hono<AppEnv>,
  { gateway, bodies, check }: ExplainRoutesOptions
): void {
  app.post('/v1/route/explain', async (c) => {
    const startedAt = performance.now()
    check(c.req.raw)
    const caller = authenticateHttp(gateway, c.req.raw)
    const route = {}
    const call = toClientCall(c.req.raw, c.env, bodies, { protocol: openaiChat, route })
    const { admission } = gateway
    let heldBytes = 0
    admission.enter()
    try {
      const body = await call.readBody({
        hold(bytes) {
          admission.hold(bytes)
          heldBytes += bytes
        },
      })
      const envelope = readEnvelope(openaiChat, body, route)
      const boundTokens = () => boundInput(envelope.body).tokens
      const planned = gateway.plan({ caller, envelope, call, boundTokens })
      const previous = readPreviousId(body)
      const plan =
        previous === undefined
          ? planned
          : planAtKeeper(planned, await findPrevious(gateway, previous, caller))
      return answerJson(startedAt, toView(envelope.model, plan))
    } finally {
      admission.leave(heldBytes)
    }
  })
}

/** Of a request that goes on from a response. */
function readPreviousId(body: Uint8Array): string | undefined {
  const { previous_response_id: previous } = scanMembers(body, ['previous_response_id']).found
  return previous && readJsonString(body, previous)
}

function toView(model: string, { targets, excluded, path, notes, policy }: Plan) {
  const hedge = policy?.hedge
  return {
    model,
    path,
    ...(policy && {
      continue_streams: policy.continuesStreams,
      hedge: hedge ? { after: hedge.after, max_percent: hedge.share * 100 } : null,
    }),
    targets: targets.map(({ target, params, reason }) => ({
      model: target.name,
      reason,
      ...(params && { params }),
    })),
    excluded: excluded.map(({ name, reason }) => ({ model: name, reason })),
    notes,
  }
}
