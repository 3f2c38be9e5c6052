import type { FramePart } from '../protocol'
import type { ScriptStyle } from '../scripted-answer'
import type { WireEvent } from '../wire-event'

/** How Claude answers, wherever it is hosted. */
export const CLAUDE_STYLE: ScriptStyle = {
  maker: 'anthropic',
  idPrefix: 'msg_sim_',
  callPrefix: 'toolu_sim_',
  signs: 'thoughts',
}

const PARTS: Readonly<Record<string, FramePart>> = {
  content_block_delta: 'content',
  message_delta: 'finish',
  message_stop: 'end',
}

/** Which part of a message an event is, by the type in its JSON, which every host sends. */
export function partOfMessageEvent({ json }: WireEvent): FramePart {
  const type = json?.['type']
  const part = typeof type === 'string' && Object.hasOwn(PARTS, type) ? PARTS[type] : undefined
  return part ?? 'start'
}
