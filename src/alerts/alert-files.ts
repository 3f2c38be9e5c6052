import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { appendFile, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Mark } from '../ledger/told-marks'

/** An alert on its way. */
export type PendingAlert = {
  readonly id: string
  readonly createdAtMs: number
  /** The webhooks that have not taken it yet. */
  readonly webhooks: ReadonlySet<string>
  /** JSON, as each attempt sends it. */
  readonly body: string
  /** What it stands for, so that nothing else tells it. */
  readonly mark: Mark
}

/** Without an end: JSON has no infinity. */
const markSchema = z.object({ key: z.string(), until_ms: z.number().nullable() })

const pendingSchema = z.object({
  id: z.uuid(),
  created_at_ms: z.number(),
  webhooks: z.array(z.string()),
  body: z.string(),
  mark: markSchema,
})

const MARKS_FILE = 'told.jsonl'
const FEW_LINES = 1_000

/**
 * What of alerts outlasts the process: a file for each alert that some webhook has not taken, and one of marks, a line
 * each. The folder is read once, at the start; all writing is the system's threads' business, one after the other.
 */
export class AlertFiles {
  readonly #path: string
  readonly #onError: (error: unknown) => void
  #last: Promise<void> = Promise.resolve()
  /** Lines of marks that are written next, with nothing to be done between: more may join them. */
  #joinable: string[] | undefined
  #isMade = false
  #lines = 0
  #linesOnceTidy = 0

  constructor(path: string, onError: (error: unknown) => void) {
    this.#path = path
    this.#onError = onError
  }

  /** What an earlier process left, the oldest alert first. What can't be read is left alone and told to `onError`. */
  read(): { alerts: PendingAlert[]; marks: Mark[] } {
    let names: string[]
    try {
      names = readdirSync(this.#path)
    } catch {
      // Nothing was ever told.
      return { alerts: [], marks: [] }
    }
    // Written by a killed process, and never whole.
    for (const name of names)
      if (name.endsWith('.new')) rmSync(join(this.#path, name), { force: true })
    const alerts = names
      .filter((name) => name.endsWith('.json'))
      .map((name) => this.#readAlert(name))
      .filter((alert) => alert !== undefined)
      .sort((a, b) => a.createdAtMs - b.createdAtMs)
    return { alerts, marks: names.includes(MARKS_FILE) ? this.#readMarks() : [] }
  }

  /** Keeps an alert, in the place of what is kept of it. */
  save({ id, createdAtMs, webhooks, body, mark }: PendingAlert): void {
    const text = JSON.stringify({
      id,
      created_at_ms: createdAtMs,
      webhooks: [...webhooks],
      body,
      mark: toLine(mark),
    })
    this.#next(() => this.#replace(`${id}.json`, text))
  }

  /** Forgets an alert. */
  remove(id: string): void {
    this.#next(() => rm(join(this.#path, `${id}.json`), { force: true }))
  }

  /** Keeps a mark. `all` gives those that are still good, for the time when most lines are not. */
  mark(mark: Mark, all: () => readonly Mark[]): void {
    if (this.#joinable) {
      this.#joinable.push(asLine(mark))
      return
    }
    const lines = [asLine(mark)]
    this.#next(async () => {
      if (this.#joinable === lines) this.#joinable = undefined
      if (this.#lines > 2 * this.#linesOnceTidy + FEW_LINES) {
        const marks = all()
        await this.#replace(MARKS_FILE, marks.map(asLine).join(''))
        this.#lines = this.#linesOnceTidy = marks.length
        return
      }
      await this.#makeFolder()
      await appendFile(join(this.#path, MARKS_FILE), lines.join(''), { mode: 0o600 })
      this.#lines += lines.length
    })
    this.#joinable = lines
  }

  /** Resolves when all that was asked for has been done. */
  settled(): Promise<void> {
    return this.#last
  }

  #next(act: () => Promise<unknown>): void {
    this.#joinable = undefined
    this.#last = this.#last.then(act).then(() => undefined, this.#onError)
  }

  async #replace(name: string, text: string): Promise<void> {
    await this.#makeFolder()
    const path = join(this.#path, name)
    const file = await open(`${path}.new`, 'w', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
  }

  async #makeFolder(): Promise<void> {
    if (this.#isMade) return
    await mkdir(this.#path, { recursive: true, mode: 0o700 })
    this.#isMade = true
  }

  #readAlert(name: string): PendingAlert | undefined {
    try {
      const json: unknown = JSON.parse(readFileSync(join(this.#path, name), 'utf8'))
      const { id, created_at_ms: createdAtMs, webhooks, body, mark } = pendingSchema.parse(json)
      return { id, createdAtMs, webhooks: new Set(webhooks), body, mark: toMark(mark) }
    } catch (error) {
      this.#onError(error)
      return undefined
    }
  }

  #readMarks(): Mark[] {
    const lines = readFileSync(join(this.#path, MARKS_FILE), 'utf8').split('\n')
    this.#lines = lines.length
    return lines.flatMap((line) => {
      try {
        return [toMark(markSchema.parse(JSON.parse(line)))]
      } catch {
        // The end of a line that a killed process began, or none at all.
        return []
      }
    })
  }
}

function toLine({ key, untilMs }: Mark): z.infer<typeof markSchema> {
  return { key, until_ms: Number.isFinite(untilMs) ? untilMs : null }
}

function toMark({ key, until_ms: untilMs }: z.infer<typeof markSchema>): Mark {
  return { key, untilMs: untilMs ?? Infinity }
}

/** Begins a line of its own, whatever a killed process left before it. */
function asLine(mark: Mark): string {
  return `\n${JSON.stringify(toLine(mark))}`
}
