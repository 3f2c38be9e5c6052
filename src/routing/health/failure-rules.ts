/**
 * What the answers of providers mean, by what they call an error and, where they call everything the same, by what they
 * say. The first rule that fits decides, so the ones that are sure come first.
 */

/** What an upstream's error answer says of itself. */
export type ErrorFacts = {
  status: number
  /** `code`, `type`, `status` and other names of the error, in lower case. */
  names: readonly string[]
  message: string
}

/** What a provider's refusal may mean. */
export type RefusedKind =
  | 'provider'
  | 'throttled'
  | 'credential'
  | 'request'
  | 'capability'
  | 'context_length'
  | 'content_policy'

export type FailureRule = {
  kind: RefusedKind
  /** Any of these names. */
  names?: ReadonlySet<string>
  /** Or this in the message. */
  says?: RegExp
  /** Only with these statuses; with any where left out. */
  statuses?: ReadonlySet<number>
}

const REFUSALS = new Set([400, 404, 405, 413, 415, 422, 500, 501, 502])

export const FAILURE_RULES: readonly FailureRule[] = [
  {
    // OpenAI, Azure (https://learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter), Alibaba, OpenRouter.
    kind: 'content_policy',
    names: new Set([
      'content_filter',
      'content_policy_violation',
      'contentpolicyviolation',
      'responsibleaipolicyviolation',
      'moderation_blocked',
      'invalid_prompt',
      'data_inspection_failed',
      'datainspectionfailed',
      'prohibited_content',
    ]),
  },
  {
    // Anthropic and Bedrock, xAI, OpenAI, DeepSeek, OpenRouter, in this order.
    kind: 'content_policy',
    says: /blocked by (?:the )?content filtering policy|violates? (?:our |the )?(?:usage|safety) (?:guidelines|polic)|flagged \w+ potentially violating|(?:rejected|blocked)\b.{0,20} (?:our|the) safety system|content exists risk|your input was flagged|content management policy/i,
  },
  {
    // https://platform.openai.com/docs/guides/error-codes, https://platform.claude.com/docs/en/api/errors
    kind: 'credential',
    names: new Set([
      'insufficient_quota',
      'billing_error',
      'billing_hard_limit_reached',
      'billing_not_active',
      'account_deactivated',
      'access_terminated',
      'insufficient_balance',
      'invalid_api_key',
      'arrearage',
      'accessdeniedexception',
      'unrecognizedclientexception',
      'expiredtokenexception',
      'servicequotaexceededexception',
    ]),
  },
  {
    // Google names the quota: https://ai.google.dev/gemini-api/docs/rate-limits. A minute's passes, a day's doesn't.
    kind: 'credential',
    names: new Set(['quota_per_day']),
  },
  {
    // Anthropic twice, Gemini twice, DeepSeek, OpenRouter, Cohere, Bedrock twice. Only as it begins: further on a message
    // may quote the request, and nobody's request shall make a credential look bad for everybody.
    kind: 'credential',
    says: /^(?:your credit balance is too low|you have reached your specified api usage limits|user location is not supported|gemini api free tier is not available|insufficient (?:balance|credits)|you are using a trial key|your request exceeds the service quota for your account|too many tokens per day)/i,
  },
  {
    // OpenAI's tokens a minute: a request beyond the whole limit never fits, however long it waits.
    kind: 'context_length',
    says: /^request too large for/i,
    statuses: new Set([413, 429]),
  },
  {
    kind: 'throttled',
    names: new Set([
      'rate_limit_exceeded',
      'rate_limit_error',
      'resource_exhausted',
      'throttlingexception',
      'modelnotreadyexception',
      'too_many_requests',
      'overloaded_error',
      'engine_overloaded',
      'slow_down',
    ]),
  },
  { kind: 'throttled', statuses: new Set([429, 529]), says: /^/ },
  // Gemini: `The model is overloaded. Please try again later.`; Ollama: `server busy, please try again. maximum …`
  {
    kind: 'throttled',
    statuses: new Set([500, 502, 503]),
    says: /\boverloaded\b|\bat capacity\b|server busy/i,
  },
  {
    kind: 'context_length',
    names: new Set([
      'context_length_exceeded',
      'exceed_context_size_error',
      'model_context_window_exceeded',
      'request_too_large',
    ]),
  },
  {
    // Anthropic twice, OpenAI, Gemini, Gemini, Bedrock, xAI, Groq, OpenAI and vLLM, llama.cpp, LM Studio, MiniMax, Kimi,
    // Mistral, Copilot, Together, TGI.
    kind: 'context_length',
    says: /prompt is too long|exceeds? context limit|exceeds? the context window|input token count\b.*\bexceeds the maximum|input token count is \d+ but model only supports|input is too long for requested model|maximum prompt length is \d+|reduce the length of the (?:messages|prompt|input)|maximum context length (?:is|of) \d+|exceeds the available context size|greater than the context length|context window exceeds limit|exceeded model token limit|too large for model with \d+ maximum context|prompt token count of \d+ exceeds|tokens \+ `?max_new_tokens`? must be|longer than the model's context length|tokens exceed the configured limit/i,
    statuses: REFUSALS,
  },
  {
    // Cohere: `too many tokens: total number of tokens in the prompt cannot exceed 4081`; Bedrock: `Too many input tokens`.
    kind: 'context_length',
    says: /^(?:the model returned the following errors: )?too many (?:input )?tokens|token limit exceeded/i,
    statuses: new Set([400, 422]),
  },
  {
    // OpenAI, Azure, Bedrock, Ollama: fields, values and models that this target doesn't know.
    kind: 'capability',
    names: new Set([
      'unsupported_parameter',
      'unsupported_value',
      'unsupported_country_region_territory',
      'unknown_parameter',
      'model_not_found',
      'model_not_supported',
      'deploymentnotfound',
      'unsupported_model',
      'operationnotsupported',
      'unimplemented',
    ]),
    statuses: REFUSALS,
  },
  {
    // vLLM and Ollama on tools, Bedrock on models and tools, Anthropic on unknown fields, OpenRouter, Bedrock,
    // Anthropic and vLLM on models.
    kind: 'capability',
    says: /\b(?:does not|doesn't|do not|don't|not) (?:currently )?support(?:ed)?\b|\b(?:isn't|is not|are not|aren't) supported\b|only supported (?:by|in|with|for)|\bunsupported\b|extra inputs are not permitted|unrecognized request argument|unknown name "|no endpoints found|provided model identifier is invalid|^model: |model\b.{0,120}\b(?:does not exist|not found|is not found)|requires --enable-auto-tool-choice/i,
    statuses: REFUSALS,
  },
]

/** What a status means where no rule fits. */
export function kindOfStatus(status: number, hasAnswer: boolean): RefusedKind {
  switch (status) {
    case 401:
    case 402:
    case 403:
      return 'credential'
    case 404:
    case 405:
    case 409:
    case 421:
    case 423:
    case 426:
      // Without an error of the protocol's own shape it is not the API that answers at the address.
      return hasAnswer ? 'request' : 'provider'
    case 408:
    case 424:
    case 425:
    case 499:
      return 'provider'
    case 413:
      return 'context_length'
    case 498:
      // Cohere, blocked input or output: https://docs.cohere.com/reference/errors
      return 'content_policy'
    case 501:
      return 'capability'
    default:
      return status >= 500 ? 'provider' : 'request'
  }
}
