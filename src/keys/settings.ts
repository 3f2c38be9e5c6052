import { z } from 'zod'
import { storedLimitSchema } from '../limits/limit-text'
import { AdministrationError } from './administration-error'
import { type Profile, type ProfileColumns, readProfile, toProfileColumns } from './profile'

const MANY = 1_000

const nameSchema = z
  .string()
  // `/`, `+`, `*` and blanks would make it ambiguous where names are combined or matched.
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@:-]{0,63}$/,
    'A name has 1 to 64 letters, digits or any of . _ @ : - and begins with a letter or digit.'
  )

const globSchema = z.string().regex(/^[\x21-\x7e]{1,256}$/, 'a pattern without spaces')

/** Globs over `provider/model`, and `route/NAME`. */
const modelsSchema = z
  .array(
    globSchema.refine((glob) => /[/*?]/.test(glob), {
      error: ({ input }) =>
        `Models are named provider/model, so ${String(input)} matches none: write */${String(input)}, or route/${String(input)} for a route.`,
    })
  )
  .max(MANY)

const providersSchema = z
  .array(globSchema.refine((glob) => !glob.includes('/'), 'A name of a provider has no slash.'))
  .max(MANY)

/** Globs over `provider/name`. */
const credentialsSchema = z
  .array(
    globSchema.refine(
      (glob) => glob.indexOf('/') > 0,
      'A credential is named provider/name, such as openai/prod-*.'
    )
  )
  .max(MANY)

/** Globs over names of tools: `web_search`, `mcp.github`, `files.read_*`. */
const toolsSchema = z.array(globSchema).max(MANY)

const weightsSchema = z
  .record(
    z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'the name of a provider'),
    z.number('a number').min(0, 'a number from 0').max(1_000_000, 'a number up to 1000000')
  )
  .refine((weights) => Object.keys(weights).length <= MANY, `at most ${MANY} of them`)

const budgetsSchema = z
  .array(storedLimitSchema.refine(({ unit }) => unit === 'usd', 'A budget is in USD.'))
  .max(16)
const limitsSchema = z
  .array(storedLimitSchema.refine(({ unit }) => unit !== 'usd', 'What is in USD is a budget.'))
  .max(16)

const metadataSchema = z
  .record(
    z.string().regex(/^[\w.-]{1,64}$/, 'a name of letters, digits or _ . -'),
    z.string().max(512)
  )
  .refine((metadata) => Object.keys(metadata).length <= 64, 'at most 64 of them')

const headersSchema = z
  .record(
    z.string().regex(/^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/, 'the name of a header in lower case'),
    z.string().regex(/^[\x20-\x7e]{1,256}$/, 'a value of 1 to 256 printable characters')
  )
  .refine((headers) => Object.keys(headers).length <= 16, 'at most 16 of them')

const groupFields = {
  models: modelsSchema.optional(),
  deniedModels: modelsSchema.optional(),
  providers: providersSchema.optional(),
  deniedProviders: providersSchema.optional(),
  credentials: credentialsSchema.optional(),
  tools: toolsSchema.optional(),
  deniedTools: toolsSchema.optional(),
  budgets: budgetsSchema.optional(),
  limits: limitsSchema.optional(),
  metadata: metadataSchema.optional(),
  /** Whether requests may bring fallbacks: a key allows it, a team or organization forbids it; null: nothing is said. */
  fallbacks: z.boolean().nullish(),
  /** False forbids other models in the place of the one that was asked for; null: nothing is said. */
  equivalents: z.literal(false).nullish(),
  /** Shares by the names of providers, in the place of a route's own; empty clears. */
  weights: weightsSchema.optional(),
}

const keyFields = {
  ...groupFields,
  headers: headersSchema.optional(),
  bodies: z.enum(['off', 'full']).nullish(),
  /** Epoch milliseconds. */
  expiresAtMs: z.int().min(0).nullish(),
  /** By name or id; null: none. */
  team: z.string().nullish(),
  organization: z.string().optional(),
}

/** What may be said of an organization or a team. Lists that are empty are none. */
export const groupUpdateSchema = z.strictObject(groupFields)
export const newGroupSchema = z.strictObject({
  name: nameSchema,
  /** Of a team: its organization by name or id. */
  organization: z.string().optional(),
  ...groupFields,
})

/** What may be said of a key. In an update what is left out stays, and null clears. */
export const keyUpdateSchema = z.strictObject(keyFields)
export const newKeySchema = z.strictObject({ name: nameSchema, ...keyFields })

export type GroupUpdateInput = z.infer<typeof groupUpdateSchema>
export type NewGroupInput = z.infer<typeof newGroupSchema>
export type KeyUpdateInput = z.infer<typeof keyUpdateSchema>
export type NewKeyInput = z.infer<typeof newKeySchema>

/** Reads what was asked for. Throws an AdministrationError that names what is wrong. */
export function readInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const path = issue?.path.join('.') ?? ''
  // What is wrong with a name in a record stands one deeper.
  const named = issue?.code === 'invalid_key' ? issue.issues[0] : issue
  throw new AdministrationError(
    'invalid',
    `${path === '' ? '' : `${path}: `}${named?.message ?? 'not understood'}`
  )
}

type ProfileInput = Pick<KeyUpdateInput, keyof typeof groupFields | 'headers'>

/** The columns of a profile after a change of some of its parts. */
export function changeProfile(columns: ProfileColumns, input: ProfileInput): ProfileColumns {
  const { rights, headers, fallbacks, equivalents, weights, limits } = readProfile(columns)
  const budgets = input.budgets ?? limits.filter(({ unit }) => unit === 'usd')
  const rates = input.limits ?? limits.filter(({ unit }) => unit !== 'usd')
  const changed: Profile = {
    rights: {
      models: input.models ?? rights.models,
      deniedModels: input.deniedModels ?? rights.deniedModels,
      providers: input.providers ?? rights.providers,
      deniedProviders: input.deniedProviders ?? rights.deniedProviders,
      credentials: input.credentials ?? rights.credentials,
      tools: input.tools ?? rights.tools,
      deniedTools: input.deniedTools ?? rights.deniedTools,
    },
    headers: input.headers
      ? Object.entries(input.headers).map(([name, value]) => ({ name, value }))
      : headers,
    fallbacks: input.fallbacks === undefined ? fallbacks : (input.fallbacks ?? undefined),
    equivalents: input.equivalents === undefined ? equivalents : (input.equivalents ?? undefined),
    weights: input.weights ?? weights,
    limits: [...budgets, ...rates],
  }
  return toProfileColumns(changed)
}
