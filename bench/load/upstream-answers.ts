/** A whole answer of about 1 KB, as OpenAI gives it. */
export const ANSWER = JSON.stringify({
  id: 'chatcmpl-abc123456789',
  object: 'chat.completion',
  created: 1732230000,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'Retrieval-Augmented Generation (RAG) is an architecture that combines a retriever, which finds passages relevant to a query in an external knowledge base, with a generator, a language model that conditions on those passages to write an answer. The retriever embeds documents and queries into a shared vector space, then returns the nearest passages. The generator reads them as part of its prompt. This reduces hallucination, keeps knowledge current without retraining, and lets answers cite their sources.',
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 14,
    completion_tokens: 128,
    total_tokens: 142,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  service_tier: 'default',
  system_fingerprint: 'fp_0123456789',
})

export const STREAM_FRAMES = 100

const chunk = { id: 'chatcmpl-abc', object: 'chat.completion.chunk', created: 1732230000 }

// Each ends with one line end; `echo` adds the second.
export const STREAM_FRAME = frame({
  ...chunk,
  model: 'gpt-4o-mini-2024-07-18',
  system_fingerprint: 'fp_0123',
  choices: [{ index: 0, delta: { content: ' token' }, logprobs: null, finish_reason: null }],
  usage: null,
})

/** The stream's end: finish reason, usage and the end mark. */
export const STREAM_LAST_FRAMES = [
  frame({ ...chunk, model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
  frame({
    ...chunk,
    model: 'm',
    choices: [],
    usage: { prompt_tokens: 14, completion_tokens: 100, total_tokens: 114 },
  }),
  'data: [DONE]\n',
]

function frame(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n`
}
