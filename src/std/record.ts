/** Narrow `unknown` without a schema, where JSON of others is read on the request path. */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The member `name` where it is an object; else `undefined`. */
export function recordOf(value: unknown, name: string): Record<string, unknown> | undefined {
  const member = isRecord(value) ? value[name] : undefined
  return isRecord(member) ? member : undefined
}

/** The member `name` where it is a string; else `undefined`. */
export function stringOf(value: unknown, name: string): string | undefined {
  const member = isRecord(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}

/** The member `name` where it is a whole number ≥ 0; else `undefined`. */
export function countOf(value: unknown, name: string): number | undefined {
  const member = isRecord(value) ? value[name] : undefined
  return typeof member === 'number' && Number.isSafeInteger(member) && member >= 0
    ? member
    : undefined
}
