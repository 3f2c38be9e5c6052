const MASK = '***'

type Rule = { pattern: RegExp; mask: string }

/**
 * What gives a secret away, and what stays of it. Least lengths are below those of real secrets, since a
 * capped body may end in the middle of one.
 */
const RULES: readonly Rule[] = [
  {
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
    mask: `-----PRIVATE KEY ${MASK}-----`,
  },
  // A header by its name, also as a field of JSON, itself perhaps inside a JSON text.
  {
    pattern:
      /\b((?:proxy-)?authorization|(?:x-)?api[-_]key|x-goog-api-key|x-tg-key)(\\?["']?\s*[:=]\s*\\?["']?)((?:basic|bearer)\s+)?[^\s"'\\,;&]{6,}/gi,
    mask: `$1$2$3${MASK}`,
  },
  { pattern: /\b(bearer)\s+[\w.~+/=-]{12,}/gi, mask: `$1 ${MASK}` },
  {
    pattern: /([?&](?:key|api[-_]key|access_token|token)=)[^&\s"'#\\]+/gi,
    mask: `$1${MASK}`,
  },
  { pattern: /\b(sk|pk|rk)-[\w-]{12,}/g, mask: `$1-${MASK}` },
  { pattern: /\b(gsk|hf|ghp|gho|r8)_\w{12,}/g, mask: `$1_${MASK}` },
  { pattern: /\b(xai|pplx|nvapi|tgp|fw)[-_](?=\w*\d)[\w-]{12,}/g, mask: `$1-${MASK}` },
  { pattern: /\bwhsec_[\w+/=]{12,}/g, mask: `whsec_${MASK}` },
  { pattern: /\bAIza[\w-]{12,}/g, mask: `AIza${MASK}` },
  { pattern: /\b(AKIA|ASIA)[A-Z0-9]{12,}/g, mask: `$1${MASK}` },
  // A JSON Web Token, of which the first part alone is no secret.
  { pattern: /\beyJ[\w-]{6,}\.[\w-]{4,}(?:\.[\w-]*)?/g, mask: `eyJ${MASK}` },
]

/** The text with everything in it that looks like a credential masked. */
export function redact(text: string): string {
  let redacted = text
  for (const { pattern, mask } of RULES) redacted = redacted.replace(pattern, mask)
  return redacted
}

export type CapturedBody = { text: string; truncated: boolean }

/** The first `maxBytes` of a body as the log may keep them: cut between characters, secrets masked. */
export function captureBody(bytes: Uint8Array, maxBytes: number): CapturedBody {
  const truncated = bytes.length > maxBytes
  const kept = truncated ? bytes.subarray(0, characterStart(bytes, maxBytes)) : bytes
  return { text: redact(new TextDecoder().decode(kept)), truncated }
}

/** The last place at or before `at` where a UTF-8 character begins. */
function characterStart(bytes: Uint8Array, at: number): number {
  let start = at
  // A character has at most three bytes after its first; more are no UTF-8, and cut anywhere.
  while (start > 0 && at - start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1
  return start
}
