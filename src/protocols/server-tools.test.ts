import { expect, test } from 'bun:test'
import { listServerTools } from './server-tools'

const namesOf = (body: unknown) =>
  listServerTools(new TextEncoder().encode(JSON.stringify(body))).map(({ name }) => name)

const fn = { name: 'lookup', parameters: { type: 'object' } }

test.each<[string, unknown, string[]]>([
  ['nothing', { model: 'm', messages: [] }, []],
  [
    'functions of the client',
    { tools: [{ type: 'function', function: fn }, { type: 'custom' }] },
    [],
  ],
  ['functions of a Messages client', { tools: [{ ...fn, input_schema: {} }] }, []],
  ['chat: search of the model', { web_search_options: {} }, ['web_search']],
  ['chat: no search', { web_search_options: null, search_parameters: { mode: 'off' } }, []],
  ['chat: search of xAI', { search_parameters: { mode: 'auto' } }, ['web_search']],
  ['chat: plugins of OpenRouter', { plugins: [{ id: 'web' }] }, ['web_search']],
  ['chat: its server tools', { tools: [{ type: 'openrouter:web_search' }] }, ['web_search']],
  [
    'chat: built-in functions of Moonshot',
    { tools: [{ type: 'builtin_function', function: { name: '$web_search' } }] },
    ['web_search'],
  ],
  [
    'Responses',
    {
      tools: [
        { type: 'web_search_preview_2025_03_11' },
        { type: 'file_search', vector_store_ids: ['v'] },
        { type: 'code_interpreter', container: { type: 'auto' } },
        { type: 'computer_use_preview' },
        { type: 'image_generation' },
        { type: 'mcp', server_label: 'github', server_url: 'https://mcp.example' },
        { type: 'local_shell' },
        { type: 'apply_patch' },
        { type: 'shell', environment: { type: 'local' } },
        { type: 'shell', environment: { type: 'container_auto' } },
        { type: 'namespace', name: 'n', tools: [{ type: 'function', name: 'f' }] },
        { type: 'something_new' },
      ],
    },
    [
      ...['web_search', 'file_search', 'code_interpreter', 'computer_use', 'image_generation'],
      ...['mcp.github', 'shell', 'something_new'],
    ],
  ],
  [
    'Responses: tools that an input adds',
    {
      input: [
        { role: 'user', content: 'additional_tools' },
        { type: 'additional_tools', tools: [{ type: 'web_search' }] },
      ],
    },
    ['web_search'],
  ],
  [
    'Messages',
    {
      tools: [
        { type: 'web_search_20250305', name: 'web_search' },
        { type: 'web_fetch_20250910', name: 'web_fetch' },
        { type: 'code_execution_20250825', name: 'code_execution' },
        { type: 'computer_20250124', name: 'computer' },
        { type: 'tool_search_tool_regex_20251119', name: 'find' },
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'edit' },
        { type: 'memory_20250818', name: 'memory' },
        { type: 'mcp_toolset', mcp_server_name: 'files' },
      ],
      mcp_servers: [{ type: 'url', url: 'https://mcp.example', name: 'files' }],
    },
    [
      ...['web_search', 'web_fetch', 'code_interpreter', 'computer_use', 'tool_search'],
      ...['mcp.files', 'mcp.files'],
    ],
  ],
  [
    'generateContent',
    {
      tools: [
        { functionDeclarations: [fn] },
        { googleSearch: {}, codeExecution: {} },
        { url_context: {} },
        { google_maps: {} },
        { mcpServers: [{ name: 'files' }] },
      ],
    },
    ['web_search', 'code_interpreter', 'web_fetch', 'maps', 'mcp.files'],
  ],
  ['one that is no list', { tools: { googleSearch: {} } }, ['web_search']],
  ['one that says it is a function', { tools: [{ ...fn, googleSearch: {} }] }, ['web_search']],
  [
    'Converse',
    {
      toolConfig: {
        tools: [{ toolSpec: fn }, { systemTool: { name: 'nova_grounding' } }, { cachePoint: {} }],
      },
      additionalModelRequestFields: { tools: [{ type: 'computer_20250124', name: 'computer' }] },
    },
    ['web_search', 'computer_use'],
  ],
])('%s', (_, body, names) => {
  expect(namesOf(body)).toEqual(names)
})

test('a tool is seen however its member is spelled, and as often as it stands there', () => {
  const text =
    '{"tools":[{"type":"function"}],"t\\u006fols":[{"type":"web_\\u0073earch"}],"tools":[]}'
  expect(listServerTools(new TextEncoder().encode(text))).toEqual([
    { name: 'web_search', param: 'tools' },
  ])
  const hidden = '{"input":[{"type":"additional\\u005ftools","tools":[{"type":"web_search"}]}]}'
  expect(listServerTools(new TextEncoder().encode(hidden))).toHaveLength(1)
})
