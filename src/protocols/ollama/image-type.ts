/** How the base64 of an image begins, by its type: https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern */
const BEGINNINGS: readonly [base64: string, mimeType: string][] = [
  ['iVBORw0KGgo', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
]

/** The type of an image that comes as bare base64; `undefined` where its beginning tells none. */
export function sniffImage(base64: string): string | undefined {
  return BEGINNINGS.find(([beginning]) => base64.startsWith(beginning))?.[1]
}
