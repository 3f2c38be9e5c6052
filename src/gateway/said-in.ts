import { isChat } from '../protocols/chat-protocol'
import { parseJsonAnswer } from '../protocols/json-answer'
import type { Protocol } from '../protocols/protocol'
import { SaidText } from '../protocols/said-text'

/** What a whole answer says, for one that counts nothing. */
export function saidIn(upstream: Protocol, body: Uint8Array): SaidText {
  const said = new SaidText()
  try {
    if (isChat(upstream)) {
      const { choices } = upstream.chat.parseChatAnswer(parseJsonAnswer(body))
      for (const { parts } of choices)
        for (const part of parts)
          if ('text' in part) said.add(part.text)
          else if (part.type === 'tool_call') said.add(part.name + part.arguments)
      return said
    }
  } catch {
    // It passes as it is, whatever it is: then its bytes say how long it was.
  }
  said.add(new TextDecoder().decode(body))
  return said
}
