import { isRecord, recordOf, stringOf } from '../std/record'

/** Where formats have tools that run beside the model, and what ours is called. */
const NAMES: Readonly<Record<string, string>> = {
  code_execution: 'code_interpreter',
  codeExecution: 'code_interpreter',
  googleSearch: 'web_search',
  google_search: 'web_search',
  googleSearchRetrieval: 'web_search',
  google_search_retrieval: 'web_search',
  nova_grounding: 'web_search',
  web: 'web_search',
  urlContext: 'web_fetch',
  url_context: 'web_fetch',
  googleMaps: 'maps',
  google_maps: 'maps',
  fileSearch: 'file_search',
}

/** Tools that the client itself runs, by their type or, in Gemini's and Bedrock's formats, the member that has them. */
const RUN_BY_CLIENT =
  /^(function|custom|local_shell|apply_patch|(bash|text_editor|memory|computer)(_\d+)?|computer_use(_preview)?|computerUse|function_?declarations|toolSpec|cachePoint|cache_control)$/i

const decoder = new TextDecoder()

/**
 * The tools of a request, its body being a chat in any format, that run elsewhere than at the client: a provider's own
 * by one name whatever the format (`web_search`, `web_fetch`, `code_interpreter`, `file_search`, `image_generation`,
 * `maps`, others by their type), MCP servers as `mcp.LABEL`. Parses the body, which must be JSON.
 * https://platform.openai.com/docs/guides/tools, https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview,
 * https://ai.google.dev/gemini-api/docs/tools
 */
export function findHostedTools(body: Uint8Array): string[] {
  const request: unknown = JSON.parse(decoder.decode(body))
  if (!isRecord(request)) return []
  const found = new Set<string>()
  for (const tool of listOf(request['tools'])) for (const name of namesOf(tool)) found.add(name)
  for (const tool of listOf(recordOf(request, 'toolConfig')?.['tools']))
    for (const name of namesOf(tool)) found.add(name)
  for (const server of listOf(request['mcp_servers'])) found.add(`mcp.${stringOf(server, 'name')}`)
  for (const plugin of listOf(request['plugins'])) found.add(toName(stringOf(plugin, 'id') ?? ''))
  if (isRecord(request['web_search_options'])) found.add('web_search')
  const search = recordOf(request, 'search_parameters')
  if (search && search['mode'] !== 'off') found.add('web_search')
  return [...found]
}

function namesOf(tool: unknown): string[] {
  if (!isRecord(tool)) return []
  const type = stringOf(tool, 'type')
  if (type === undefined) return namesOfMembers(tool)
  if (type === 'mcp') return [`mcp.${stringOf(tool, 'server_label')}`]
  if (type === 'mcp_toolset') return [`mcp.${stringOf(tool, 'mcp_server_name')}`]
  // A shell runs at the client unless it is given a container.
  if (type === 'shell') return recordOf(tool, 'environment') ? ['shell'] : []
  return RUN_BY_CLIENT.test(type) ? [] : [toName(type)]
}

/** Anthropic's have a name and run at the client; Gemini's and Bedrock's are told by the member that they are in. */
function namesOfMembers(tool: Record<string, unknown>): string[] {
  if (typeof tool['name'] === 'string') return []
  return Object.keys(tool)
    .filter((member) => !RUN_BY_CLIENT.test(member))
    .map((member) =>
      toName(member === 'systemTool' ? (stringOf(tool['systemTool'], 'name') ?? '') : member)
    )
}

/** Without the day or the stage of a version: `web_search_20250305`, `web_search_preview_2025_03_11`. */
function toName(type: string): string {
  const bare = type.replace(/(_preview)?(_\d[\d_]*)?$/, '')
  return (Object.hasOwn(NAMES, bare) ? NAMES[bare] : undefined) ?? bare
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
