import { findBytes } from '../std/bytes'
import { scanJsonObject } from '../std/json-scan'
import { isRecord, stringOf } from '../std/record'

/** A tool that runs at the provider, or where it connects to, and not at the client. */
export type ServerTool = {
  /** In the words of the list below; of one that is not in it its own type, without its version. */
  readonly name: string
  /** The member of the request that asks for it. */
  readonly param: string
}

/** The members of a request that can ask for such tools, in all formats. */
const MEMBERS = [
  'tools',
  'toolConfig',
  'additionalModelRequestFields',
  'mcp_servers',
  'web_search_options',
  'search_parameters',
  'enable_search',
  'plugins',
  'input',
] as const

/** Types of tools that the client itself runs. */
const OF_CLIENT = new Set(['function', 'custom', 'local_shell', 'apply_patch', 'bash', 'memory'])

/** What formats call them, without versions, and the one name that they have here. */
const NAMES: Readonly<Record<string, string>> = {
  web_search_preview: 'web_search',
  'web-search': 'web_search',
  $web_search: 'web_search',
  web: 'web_search',
  browser_search: 'web_search',
  googleSearch: 'web_search',
  google_search: 'web_search',
  googleSearchRetrieval: 'web_search',
  google_search_retrieval: 'web_search',
  enterpriseWebSearch: 'web_search',
  enterprise_web_search: 'web_search',
  exaAiSearch: 'web_search',
  exa_ai_search: 'web_search',
  parallelAiSearch: 'web_search',
  parallel_ai_search: 'web_search',
  nova_grounding: 'web_search',
  web_search_options: 'web_search',
  search_parameters: 'web_search',
  enable_search: 'web_search',
  urlContext: 'web_fetch',
  url_context: 'web_fetch',
  codeExecution: 'code_interpreter',
  code_execution: 'code_interpreter',
  nova_code_interpreter: 'code_interpreter',
  programmatic_tool_calling: 'code_interpreter',
  fileSearch: 'file_search',
  retrieval: 'file_search',
  googleMaps: 'maps',
  google_maps: 'maps',
  computer: 'computer_use',
  computerUse: 'computer_use',
  computer_toolset: 'computer_use',
  browser_toolset: 'computer_use',
  computer_use_preview: 'computer_use',
  tool_search_tool_regex: 'tool_search',
  tool_search_tool_bm25: 'tool_search',
}

const decoder = new TextDecoder()

/**
 * The tools of a request that don't run at its client: of OpenAI's chat and Responses, Anthropic's Messages, Google's
 * generateContent and Bedrock's Converse, and of hosts that speak these. What a provider keeps itself, as a stored
 * prompt does, isn't seen. `body` is JSON that was found to be some.
 */
export function listServerTools(body: Uint8Array): ServerTool[] {
  const found: ServerTool[] = []
  scanJsonObject(body, MEMBERS, ({ name, start, end }) => {
    if (name === 'input' && !mayAddTools(body.subarray(start, end))) return
    const value: unknown = JSON.parse(decoder.decode(body.subarray(start, end)))
    for (const tool of toolsOf(name, value)) found.push({ name: tool, param: name })
  })
  return found
}

const MARKS_OF_TOOLS = ['"additional_tools"', '\\u'].map((text) => Buffer.from(text))

/** Most inputs have no tools in them; an escape could hide the word. */
function mayAddTools(input: Uint8Array): boolean {
  return MARKS_OF_TOOLS.some((mark) => findBytes(input, mark) >= 0)
}

function toolsOf(member: (typeof MEMBERS)[number], value: unknown): string[] {
  switch (member) {
    case 'tools':
      return listOf(value).flatMap(toNames)
    case 'toolConfig':
    case 'additionalModelRequestFields':
      return isRecord(value) ? toolsOfFields(value) : []
    case 'mcp_servers':
      return listOf(value).map((server) => toMcpName(server, 'name'))
    case 'plugins':
      return listOf(value).flatMap((plugin) => toName(stringOf(plugin, 'id')))
    case 'search_parameters':
      return isRecord(value) && value.mode !== 'off' ? toName(member) : []
    case 'web_search_options':
    case 'enable_search':
      return value === null || value === false ? [] : toName(member)
    case 'input':
      return listOf(value).flatMap((item) =>
        isRecord(item) && item.type === 'additional_tools'
          ? listOf(item.tools).flatMap(toNames)
          : []
      )
  }
}

/** Members that stand one deeper. */
function toolsOfFields({ tools, mcp_servers: servers }: Record<string, unknown>): string[] {
  const named = listOf(servers).map((server) => toMcpName(server, 'name'))
  return [...listOf(tools).flatMap(toNames), ...named]
}

function toNames(tool: unknown): string[] {
  if (!isRecord(tool)) return []
  const type = stringOf(tool, 'type')
  if (type === 'mcp') return [toMcpName(tool, 'server_label')]
  if (type === 'mcp_toolset') return [toMcpName(tool, 'mcp_server_name')]
  if (type === 'namespace') return listOf(tool.tools).flatMap(toNames)
  if (type === 'builtin_function') return toName(nameOf(tool.function))
  // A shell without a container of the provider's is the client's own.
  if (type === 'shell' && isRecord(tool.environment) && tool.environment.type === 'local') return []
  if (type === undefined) return toUntypedNames(tool)
  // Whatever it calls itself: what is beside its type may be what an upstream goes by.
  return [...toName(type), ...knownMembers(tool)]
}

/** Of formats whose tools say by the name of a member what they are; Anthropic's own functions have no such member. */
function toUntypedNames(tool: Record<string, unknown>): string[] {
  if (typeof tool.name === 'string') return knownMembers(tool)
  return Object.entries(tool).flatMap(([member, value]) => {
    if (value === null || OWN_MEMBERS.has(member)) return []
    if (member === 'systemTool') return toName(nameOf(value))
    if (member === 'mcpServers' || member === 'mcp_servers')
      return listOf(value).map((server) => toMcpName(server, 'name'))
    return toName(member)
  })
}

function knownMembers(tool: Record<string, unknown>): string[] {
  return Object.keys(tool).flatMap((member) => (Object.hasOwn(NAMES, member) ? toName(member) : []))
}

/** Functions of the client, and what is no tool. */
const OWN_MEMBERS = new Set([
  ...['functionDeclarations', 'function_declarations', 'toolSpec', 'cachePoint'],
  ...['function', 'cache_control'],
])

function nameOf(value: unknown): string | undefined {
  return stringOf(value, 'name')
}

function toName(written: string | undefined): string[] {
  if (written === undefined) return []
  // `openrouter:web_search`, `web_search_20250305`, `web_search_2025_08_26`
  const plain = written.replace(/^[a-z]+:/, '').replace(/_20\d\d_?\d\d_?\d\d$/, '')
  if (OF_CLIENT.has(plain) || plain.startsWith('text_editor')) return []
  return [Object.hasOwn(NAMES, plain) ? (NAMES[plain] ?? plain) : plain]
}

function toMcpName(server: unknown, member: string): string {
  return `mcp.${stringOf(server, member) ?? ''}`
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  return isRecord(value) ? [value] : []
}
