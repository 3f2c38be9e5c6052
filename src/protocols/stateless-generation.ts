import type { Generation } from './generation'

/** Members that have a provider do or keep more than answer: run code, call servers, answer later. */
const BINDING = ['background', 'container', 'context_management', 'mcp_servers']

/**
 * Whether a chat may be asked of two providers at once: nothing stays behind at the one whose answer is not taken, and
 * nothing is done there. OpenAI keeps responses unless it is told not to
 * (https://platform.openai.com/docs/api-reference/responses/create#responses-create-store).
 */
export function isStateless({ source, store, tools, extras, messages }: Generation): boolean {
  if (store === true || (source.protocol === 'openai-responses' && store !== false)) return false
  if (tools.some(({ type }) => type === 'server')) return false
  if (BINDING.some((name) => (extras[name] ?? null) !== null)) return false
  return !messages.some(({ parts }) =>
    parts.some((part) => part.type === 'media' && 'fileId' in part.data)
  )
}
