import { listFaults } from './faults'

/** The names worth listing; any other name is answered too. */
export function modelNames(): string[] {
  return ['sim-1', 'sim-embed-1', ...listFaults().map(({ model }) => model)]
}

/** A name as it stands in a path, its percent signs resolved where they mean something. */
export function decodeName(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
