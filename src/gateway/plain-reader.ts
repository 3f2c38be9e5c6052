import { isChat } from '../protocols/chat-protocol'
import type { FrameReader, Protocol, RequestChanges } from '../protocols/protocol'
import type { AttemptRequest } from './attempt-request'
import { ReframingReader } from './reframing-reader'
import type { ToolCallMemory } from './tool-call-memory'
import { ObservedReader } from './translation'

/** Reads frames that go on as they are, or in another framing; `observing` keeps what is wanted back later. */
export function createPlainReader(
  { envelope, protocol }: Pick<AttemptRequest, 'envelope' | 'protocol'>,
  upstream: Protocol,
  changes: RequestChanges,
  observing: ToolCallMemory | undefined
): FrameReader {
  const frames = upstream.upstream.createFrameReader(envelope, changes)
  if (protocol.client.createReframer && protocol.name !== upstream.name)
    return new ReframingReader(frames, protocol.client.createReframer())
  if (observing && isChat(upstream)) return new ObservedReader(frames, upstream, observing)
  return frames
}
