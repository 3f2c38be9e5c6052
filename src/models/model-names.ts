/** A name under which a list may have a model that it has not under the given one. */
export type OtherName = {
  readonly name: string
  /** Whether it certainly costs the same; else what it costs is unknown, while its limits and abilities are not. */
  readonly isSamePrice: boolean
}

type Rule = {
  readonly pattern: RegExp
  readonly replacement: string
  readonly isSamePrice: boolean
}

// Each host's rules, the nearest name first. A name that only says more precisely what is asked for has the same
// price where the host's own list of prices makes no difference; where it does, or may, no price is better than
// a wrong one.
const RULES: Readonly<Record<string, readonly Rule[]>> = {
  // A fine-tuned model costs what its base costs when fine-tuned, which has a row of its own: `ft:gpt-4o:acme::id`.
  // https://platform.openai.com/docs/pricing. A snapshot may cost other than the model that has its name without
  // the date, as gpt-4o-2024-05-13 does.
  openai: [
    { pattern: /^(ft:[^:]+):.*$/, replacement: '$1', isSamePrice: true },
    { pattern: /-20\d\d-\d\d-\d\d$/, replacement: '', isSamePrice: false },
  ],
  azure: [{ pattern: /-20\d\d-\d\d-\d\d$/, replacement: '', isSamePrice: false }],
  // Prices are by model, and the name without a date is one of its snapshots.
  // https://docs.claude.com/en/docs/about-claude/pricing, https://docs.claude.com/en/docs/about-claude/models/overview
  anthropic: [
    { pattern: /^(claude-.*?)-(?:20\d{6}|latest)$/, replacement: '$1', isSamePrice: true },
  ],
  // The API's own names of resources: https://ai.google.dev/api/models
  gemini: [{ pattern: /^models\//, replacement: '', isSamePrice: true }],
  // Names of resources, and the maker before a model in the OpenAI format. The version behind @ is one of the model
  // that prices go by: https://cloud.google.com/vertex-ai/generative-ai/pricing
  vertex: [
    {
      pattern: /^(?:projects\/.*\/)?publishers\/(?:google|anthropic)\/models\//,
      replacement: '',
      isSamePrice: true,
    },
    { pattern: /^google\//, replacement: '', isSamePrice: true },
    { pattern: /^(claude-[^@]*)@.*$/, replacement: '$1', isSamePrice: true },
  ],
  // ARNs of models and of AWS's own inference profiles end in the name:
  // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html. A profile's
  // geography may cost more than the region: https://aws.amazon.com/bedrock/pricing/
  bedrock: [
    {
      pattern: /^arn:aws[a-z-]*:bedrock:[^:]*:\d*:(?:foundation-model|inference-profile)\//,
      replacement: '',
      isSamePrice: true,
    },
    {
      pattern: /^(?:us|us-gov|eu|apac|jp|au|ca|sa|global)\.(?=[a-z0-9]+\.)/,
      replacement: '',
      isSamePrice: false,
    },
  ],
  // https://docs.fireworks.ai/models/overview
  fireworks: [
    { pattern: /^accounts\/fireworks\/models\//, replacement: '', isSamePrice: true },
    { pattern: /^(?=[^/]+$)/, replacement: 'accounts/fireworks/models/', isSamePrice: true },
  ],
  // Another order of hosts, or searches that cost extra. Variants of the catalog, as `:free` and `:thinking`, are
  // models of their own: https://openrouter.ai/docs/guides/routing/model-variants/overview
  openrouter: [{ pattern: /:(?:nitro|floor|online|exacto)$/, replacement: '', isSamePrice: false }],
  // The tag that is meant when there is none: https://docs.ollama.com/api/introduction
  ollama: [{ pattern: /:latest$/, replacement: '', isSamePrice: true }],
  // Which host shall answer: https://huggingface.co/docs/inference-providers
  huggingface: [{ pattern: /:[a-z0-9-]+$/, replacement: '', isSamePrice: false }],
}

/** Other names that a provider's list may have a model under, the nearest first; the given name is not among them. */
export function* otherNames(provider: string, model: string): Generator<OtherName> {
  let name = model
  let isSamePrice = true
  for (const rule of (Object.hasOwn(RULES, provider) && RULES[provider]) || []) {
    const next = name.replace(rule.pattern, rule.replacement)
    if (next === name) continue
    // Rules build on one another: the ARN of a profile is first its name, then that of its model.
    name = next
    isSamePrice &&= rule.isSamePrice
    if (name !== model) yield { name, isSamePrice }
  }
}

/**
 * Whether a name by itself says that nothing is charged: OpenRouter's free variants.
 * https://openrouter.ai/docs/guides/routing/model-variants/free
 */
export function isFreeByName(provider: string, model: string): boolean {
  return provider === 'openrouter' && model.endsWith(':free')
}
