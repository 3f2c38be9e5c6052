/** The readable beginning of a text that may be HTML: tags, scripts and runs of white space go. */
export function excerpt(text: string, maxCharacters: number): string {
  const readable = text
    .slice(0, 16_384)
    .replaceAll(/<(script|style)\b[^]*?<\/\1>/gi, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
  if (readable === '') return '(nothing readable)'
  return readable.length > maxCharacters ? `${readable.slice(0, maxCharacters)}…` : readable
}
