import type { RoutePolicy } from '../config/route-settings'
import type { Reservation } from '../ledger/governor'
import type { InputBound } from '../ledger/input-bound'
import { isChat } from '../protocols/chat-protocol'
import { mayBeContinued } from '../protocols/continue-generation'
import type { Envelope } from '../protocols/envelope'
import type { HedgeBudgets } from '../routing/health/hedge-budget'
import type { PlannedTarget } from '../routing/plan'
import type { UpstreamAnswer } from './answer'
import type { AttemptHold } from './attempt-hold'
import { toContinued } from './continued-stream'
import { Continuity } from './continuity'
import { Hedge } from './hedge'
import { turn, type TurnContext, type TurnRequest } from './turn'

/** What is held for a request, where more than one attempt of it is settled. */
export type RequestHolds = {
  /** The most that the request's input can be billed for. */
  bound(): InputBound
  /** One that has nothing yet. */
  fork(): AttemptHold
  /** The request goes on with what the other holds, and the other with what the request did. */
  exchange(hold: AttemptHold): void
  /** Moves what the request holds to what an attempt of the target may cost. */
  reserve(planned: PlannedTarget, envelope: Envelope, bound: InputBound): Reservation
}

/** The turn of a request whose route does more than try one target after the other. */
export function turnByPolicy(
  context: TurnContext & { hedges: HedgeBudgets },
  request: TurnRequest,
  { route, continuesStreams, hedge: settings }: RoutePolicy,
  holds: RequestHolds
): Promise<UpstreamAnswer> {
  const { hedges: budgets } = context
  if (settings) budgets.request(route, settings.share)
  const hedge = settings && new Hedge({ context, route, settings, budgets, holds })
  const hedged = hedge ? { ...request, hedge } : request
  return continuesStreams && isContinuable(request)
    ? turnOnAndOn(context, hedged, holds)
    : turn(context, hedged)
}

/** The turn, and those that go on with a stream which breaks off. */
async function turnOnAndOn(
  context: TurnContext,
  request: TurnRequest,
  holds: RequestHolds
): Promise<UpstreamAnswer> {
  const continuity = new Continuity()
  const followed = { ...request, continuity }
  const answer = await turn(context, followed)
  if (answer.kind === 'whole') return answer
  return toContinued(answer, {
    ...{ request: followed, continuity, health: context.health },
    bound: () => holds.bound(),
    detach() {
      const hold = holds.fork()
      holds.exchange(hold)
      return hold
    },
    reserve: (planned, envelope, withText) => holds.reserve(planned, envelope, withText),
    turn: (next) => turn(context, next),
  })
}

/** What leans on a conversation that its provider keeps can't be told to another one. */
function isContinuable({ protocol, envelope, generation }: TurnRequest): boolean {
  if (!envelope.stream || envelope.operation !== 'generate' || !isChat(protocol)) return false
  try {
    return mayBeContinued(generation())
  } catch {
    return false
  }
}
