import type {
  ContentBlock,
  ConverseStreamOutput,
  TokenUsage,
} from '@aws-sdk/client-bedrock-runtime'

/** What ConverseStream's events make up: the SDK leaves the putting together to its user. */
export type Streamed = {
  content: ContentBlock[]
  stopReason: string | undefined
  usage: TokenUsage | undefined
  textPieces: number
}

type Building = {
  text: string
  /** Has a text, be it empty. */
  isText: boolean
  thought: string
  signature: string | undefined
  toolUse: { toolUseId: string | undefined; name: string | undefined; input: string } | undefined
}

/** Puts a stream together; rejects with what the SDK raises while it reads. */
export async function collect(events: AsyncIterable<ConverseStreamOutput>): Promise<Streamed> {
  const blocks = new Map<number, Building>()
  const streamed: Streamed = { content: [], stopReason: undefined, usage: undefined, textPieces: 0 }
  for await (const event of events) {
    if (event.contentBlockStart?.start?.toolUse) {
      const { toolUseId, name } = event.contentBlockStart.start.toolUse
      at(blocks, event.contentBlockStart.contentBlockIndex).toolUse = { toolUseId, name, input: '' }
    } else if (event.contentBlockDelta) {
      const { delta, contentBlockIndex } = event.contentBlockDelta
      if (delta) grow(at(blocks, contentBlockIndex), delta)
      if (delta?.text) streamed.textPieces++
    } else if (event.messageStop) streamed.stopReason = event.messageStop.stopReason
    else if (event.metadata) streamed.usage = event.metadata.usage
  }
  streamed.content = [...blocks.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, block]) => toBlock(block))
  return streamed
}

type Delta = NonNullable<NonNullable<ConverseStreamOutput['contentBlockDelta']>['delta']>

function grow(block: Building, { text, toolUse, reasoningContent }: Delta): void {
  if (text !== undefined) {
    block.text += text
    block.isText = true
  }
  if (toolUse && block.toolUse) block.toolUse.input += toolUse.input ?? ''
  block.thought += reasoningContent?.text ?? ''
  if (reasoningContent?.signature) block.signature = reasoningContent.signature
}

function toBlock({ text, isText, thought, signature, toolUse }: Building): ContentBlock {
  if (toolUse) {
    const { toolUseId, name, input } = toolUse
    return { toolUse: { toolUseId, name, input: JSON.parse(input === '' ? '{}' : input) } }
  }
  if (isText) return { text }
  return { reasoningContent: { reasoningText: { text: thought, signature } } }
}

function at(blocks: Map<number, Building>, index = 0): Building {
  const known = blocks.get(index)
  if (known) return known
  const block = { text: '', isText: false, thought: '', signature: undefined, toolUse: undefined }
  blocks.set(index, block)
  return block
}
