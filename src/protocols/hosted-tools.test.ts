import { expect, test } from 'bun:test'
import { findHostedTools } from './hosted-tools'

const find = (body: unknown) => findHostedTools(new TextEncoder().encode(JSON.stringify(body)))

test.each<[string, unknown, string[]]>([
  ['nothing', { messages: [] }, []],
  ['functions', { tools: [{ type: 'function', function: { name: 'web_search' } }] }, []],
  ['a tool of Anthropic’s', { tools: [{ name: 'web_search', input_schema: {} }] }, []],
  [
    'tools that the client runs',
    {
      tools: [
        { type: 'custom', name: 'x' },
        { type: 'bash_20250124', name: 'bash' },
        { type: 'text_editor_20250728', name: 'edit' },
        { type: 'computer_use_preview' },
        { type: 'local_shell' },
        { type: 'shell' },
      ],
    },
    [],
  ],
  [
    'Responses',
    {
      tools: [
        { type: 'web_search_preview_2025_03_11' },
        { type: 'code_interpreter', container: { type: 'auto' } },
        { type: 'mcp', server_label: 'github', server_url: 'https://host.example' },
        { type: 'shell', environment: { type: 'container_auto' } },
      ],
    },
    ['web_search', 'code_interpreter', 'mcp.github', 'shell'],
  ],
  [
    'Anthropic',
    {
      tools: [
        { type: 'web_search_20250305', name: 'web_search' },
        { type: 'code_execution_20250825', name: 'code_execution' },
        { type: 'mcp_toolset', mcp_server_name: 'files' },
      ],
      mcp_servers: [{ type: 'url', name: 'files', url: 'https://host.example' }],
    },
    ['web_search', 'code_interpreter', 'mcp.files'],
  ],
  [
    'Gemini',
    { tools: [{ googleSearch: {}, urlContext: {} }, { functionDeclarations: [] }] },
    ['web_search', 'web_fetch'],
  ],
  [
    'Bedrock',
    {
      toolConfig: {
        tools: [{ toolSpec: { name: 'x' } }, { systemTool: { name: 'nova_grounding' } }],
      },
    },
    ['web_search'],
  ],
  ['OpenAI chat’s search', { web_search_options: {} }, ['web_search']],
  ['xAI’s search', { search_parameters: { mode: 'auto' } }, ['web_search']],
  ['xAI’s search, off', { search_parameters: { mode: 'off' } }, []],
  ['OpenRouter’s plugins', { plugins: [{ id: 'web' }] }, ['web_search']],
])('of %s', (_, body, expected) => {
  expect(find(body)).toEqual(expected)
})
