import { describe, expect, test } from 'bun:test'
import { findInference, guessProtocol } from './inference-routes'

const found = (pathname: string, query = '') => {
  const path = findInference(pathname, query)
  return path && [path.protocol.name, path.route]
}

describe('a path', () => {
  test.each([
    ['/v1/chat/completions', 'openai-chat', {}],
    ['/v1/responses', 'openai-responses', {}],
    ['/v1/messages', 'anthropic-messages', {}],
    ['/openai/v1/chat/completions', 'openai-chat', {}],
    ['/openai/chat/completions', 'openai-chat', {}],
    ['/openai/deployments/my%20gpt/chat/completions', 'openai-chat', { model: 'my gpt' }],
    ['/anthropic/v1/messages', 'anthropic-messages', {}],
    ['/litellm/v1/messages', 'anthropic-messages', {}],
    ['/langchain/openai/v1/embeddings', 'openai-embeddings', {}],
    ['/cohere/compatibility/v1/chat/completions', 'openai-chat', {}],
    ['/cohere/v2/chat', 'cohere-chat', {}],
    ['/v2/chat', 'cohere-chat', {}],
    ['/v1beta/models/a/b:c:generateContent', 'gemini', { model: 'a/b:c', stream: false }],
    ['/v1/models/m:generateContent', 'gemini', { model: 'm', stream: false }],
    ['/genai/v1beta/models/m:streamGenerateContent', 'gemini-array', { model: 'm', stream: true }],
    [
      '/model/us.anthropic%2Fx%3A0/converse',
      'bedrock-converse',
      { model: 'us.anthropic/x:0', stream: false },
    ],
    ['/bedrock/model/m/converse-stream', 'bedrock-converse', { model: 'm', stream: true }],
    [
      '/bedrock/model/m/invoke-with-response-stream',
      'bedrock-invoke',
      { model: 'm', stream: true },
    ],
  ])('%s is %s', (path, name, route) => {
    expect(found(path)).toEqual([name, route])
  })

  test('asks Gemini for events or for an array by its query', () => {
    const path = '/v1beta/models/m:streamGenerateContent'
    expect(found(path, '?alt=sse')?.[0]).toBe('gemini')
    expect(found(path, '?key=x')?.[0]).toBe('gemini-array')
  })

  test.each([
    '/v1/chat',
    '/anthropic/v1/chat/completions',
    '/genai/v1/messages',
    '/v1beta/models/m:deleteEverything',
    '/model/m/unknown',
    '/openai/deployments/x/files',
    '/constructor',
  ])('%s is nothing', (path) => {
    expect(found(path)).toBeUndefined()
  })
})

test.each([
  ['/anthropic/nothing', {}, 'anthropic-messages'],
  ['/v1beta/nothing', {}, 'gemini'],
  ['/bedrock/nothing', {}, 'bedrock-converse'],
  ['/v1/nothing', {}, 'openai-chat'],
  ['/v1/nothing', { 'anthropic-version': '2023-06-01' }, 'anthropic-messages'],
  ['/v1/nothing', { 'x-goog-api-key': 'k' }, 'gemini'],
])('an error at %s with %p has the shape of %s', (path, headers, name) => {
  expect(guessProtocol(path, new Headers(headers)).name).toBe(name)
})
