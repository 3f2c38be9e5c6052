import type { Figure } from './figures'
import type { Lab } from './lab'

/** A part of the bench that can be run by itself. */
export type Scenario = {
  name: string
  /** For `--help`: what is done, and how long it takes. */
  summary: string
  run(lab: Lab): Promise<Figure[]>
}
