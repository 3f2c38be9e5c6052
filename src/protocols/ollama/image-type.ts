/**
 * How the base64 of an image begins, by its type. RIFF holds sound too; WEBP stands behind its length.
 * https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern
 */
const BEGINNINGS: readonly [beginning: RegExp, mimeType: string][] = [
  [/^iVBORw0KGgo/, 'image/png'],
  [/^\/9j\//, 'image/jpeg'],
  [/^R0lGOD/, 'image/gif'],
  [/^UklGR.{6}XRUJQ/, 'image/webp'],
]

/** The type of an image that comes as bare base64; `undefined` where its beginning tells none. */
export function sniffImage(base64: string): string | undefined {
  return BEGINNINGS.find(([beginning]) => beginning.test(base64))?.[1]
}
