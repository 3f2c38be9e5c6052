import type { LearnedEntry } from '../db/ledger-reader'
import { GatewayError } from '../errors/gateway-error'
import type {
  CounterName,
  FromLogWorker,
  LogAnswer,
  LogProgress,
  LogServiceStart,
  OwnedQuestion,
  RecountQuestion,
  ToLogWorker,
} from './log-messages'
import type { ProgramLog } from './program-log'

export type LogWorkerOwner = {
  tell(message: ToLogWorker): void
  /** Rejects with `log_unavailable` when no answer comes within `deadlineMs`. */
  ask(question: LogQuestion, deadlineMs: number): Promise<LogAnswer>
  restarts(): number
  /** Ends the thread; what it had not imported stays in the journal. */
  terminate(): void
}

export type LogQuestion =
  | { kind: 'find'; id: string }
  | { kind: 'counters'; names: readonly CounterName[] }
  | ({ kind: 'recount' } & RecountQuestion)
  | { kind: 'deferred' }
  | { kind: 'owned'; wanted: OwnedQuestion }
  | { kind: 'drain' }
  | { kind: 'stop' }

export type LogWorkerOptions = {
  /** What each new thread is started with. */
  start(): LogServiceStart
  onProgress(progress: LogProgress): void
  onCorrections(entries: readonly LearnedEntry[]): void
  programLog: ProgramLog
}

type Call = {
  message: ToLogWorker
  resolve(answer: LogAnswer): void
}

/** A start is spared the thread until it has had the time to answer, unless somebody asks for it. */
const FIRST_START_MS = 250
const FIRST_RESTART_MS = 100
const LAST_RESTART_MS = 10_000

/** Keeps the log's thread alive: a dead one is replaced, and asked again what it had not answered. */
export function createLogWorkerOwner(options: LogWorkerOptions): LogWorkerOwner {
  return new RestartingWorker(options)
}

class RestartingWorker implements LogWorkerOwner {
  readonly #options: LogWorkerOptions
  readonly #calls = new Map<number, Call>()
  #lastCall = 0
  #restarts = 0
  #restartMs = FIRST_RESTART_MS
  #starting: ReturnType<typeof setTimeout> | undefined
  #isTerminated = false
  #worker: Worker | undefined

  constructor(options: LogWorkerOptions) {
    this.#options = options
    this.#starting = setTimeout(() => this.#start(), FIRST_START_MS)
  }

  tell(message: ToLogWorker): void {
    this.#worker?.postMessage(message)
  }

  ask(question: LogQuestion, deadlineMs: number): Promise<LogAnswer> {
    this.#lastCall += 1
    const call = this.#lastCall
    const { promise, resolve, reject } = Promise.withResolvers<LogAnswer>()
    const deadline = setTimeout(() => {
      this.#calls.delete(call)
      reject(new GatewayError('log_unavailable', 'the request log did not answer in time'))
    }, deadlineMs)
    const message: ToLogWorker = { ...question, call }
    this.#calls.set(call, {
      message,
      resolve(answer) {
        clearTimeout(deadline)
        resolve(answer)
      },
    })
    if (this.#worker) this.tell(message)
    else if (this.#restarts === 0) this.#start()
    return promise
  }

  restarts(): number {
    return this.#restarts
  }

  terminate(): void {
    this.#isTerminated = true
    clearTimeout(this.#starting)
    this.#worker?.terminate()
  }

  /** Brings along all that was asked for until now. */
  #start(): void {
    clearTimeout(this.#starting)
    // A small heap: the thread holds little for long, and a larger one is memory that requests lack.
    const worker = new Worker(workerUrl(), { smol: true })
    worker.addEventListener('message', (event: MessageEvent<FromLogWorker>) =>
      this.#receive(event.data)
    )
    // Without a listener an error in the thread would end the process.
    worker.addEventListener('error', (event) => this.#fail(event.message))
    worker.addEventListener('close', () => this.#restart())
    this.#worker = worker
    this.tell({ kind: 'start', start: this.#options.start() })
    for (const { message } of this.#calls.values()) this.tell(message)
  }

  #receive(message: FromLogWorker): void {
    switch (message.kind) {
      case 'progress':
        this.#restartMs = FIRST_RESTART_MS
        return this.#options.onProgress(message.progress)
      case 'corrections':
        return this.#options.onCorrections(message.entries)
      case 'answer':
        this.#calls.get(message.call)?.resolve(message.answer)
        this.#calls.delete(message.call)
        return
      case 'failed':
        return this.#fail(message.message)
    }
  }

  #fail(error: string): void {
    this.#options.programLog.error('the request log can not be imported', { error })
  }

  #restart(): void {
    this.#worker = undefined
    if (this.#isTerminated) return
    this.#restarts += 1
    this.#options.programLog.warn('the log thread ended and is started again; no row is lost', {
      after_ms: this.#restartMs,
    })
    this.#starting = setTimeout(() => this.#start(), this.#restartMs)
    this.#restartMs = Math.min(this.#restartMs * 2, LAST_RESTART_MS)
  }
}

/** In the executable the thread's code lies beside its own, under its place below `src`. */
function workerUrl(): string {
  const path = Bun.isStandaloneExecutable ? './telemetry/log-worker.js' : './log-worker.ts'
  return new URL(path, import.meta.url).href
}
