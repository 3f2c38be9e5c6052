import { constants } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { lowerThisThread } from '../std/thread-priority'
import type { FromLogWorker, LogAnswer, ToLogWorker } from './log-messages'
import { createLogService } from './log-service'
import type { LogService } from './log-service'

const RETAIN_MS = 30_000
const NEXT_STEP_MS = 10
/** How often a journal without news is looked at for requests that have become old. */
const WAITING_MS = 1_000
/** How often corrections of others are looked for. */
const FEED_MS = 500

// Bun drops messages that arrive before there is a listener, so nothing may be awaited before.
if (parentPort) {
  parentPort.on('message', createHandler(parentPort.postMessage.bind(parentPort)))
  // Behind the thread that serves: on a busy core it then works in fewer, larger batches, for half the time a row.
  lowerThisThread(constants.priority.PRIORITY_BELOW_NORMAL)
}

/** Tells what others have corrected: a look at an index, some microseconds. */
function feed(service: LogService | undefined, post: (message: FromLogWorker) => void): void {
  const entries = service?.takeCorrections() ?? []
  if (entries.length > 0) post({ kind: 'corrections', entries })
}

type Question = Extract<
  ToLogWorker,
  { kind: 'find' | 'counters' | 'recount' | 'deferred' | 'owned' }
>

function lookUp(service: LogService, question: Question): LogAnswer {
  switch (question.kind) {
    case 'find':
      return { row: service.find(question.id) }
    case 'counters':
      return { counters: service.counters(question.names) }
    case 'recount':
      return { recounted: service.recount(question) }
    case 'deferred':
      return { deferred: service.deferred() }
    case 'owned':
      return { owned: service.owned(question.wanted) }
  }
}

/** The worker's loop: every message and timer is one short step, so that none waits for long. */
function createHandler(post: (message: FromLogWorker) => void) {
  let service: LogService | undefined
  let pumping: ReturnType<typeof setTimeout> | undefined
  let feeding: ReturnType<typeof setInterval> | undefined
  let retaining: ReturnType<typeof setTimeout> | undefined

  function handle(message: ToLogWorker): void {
    if (message.kind === 'start') {
      service = createLogService(message.start)
      wake()
      feeding ??= setInterval(() => work(() => feed(service, post)), FEED_MS)
      return retainAfter(0)
    }
    if (service === undefined) return
    switch (message.kind) {
      case 'wake':
        return wake()
      case 'retention':
        service.setRetention(message.retention)
        return retainAfter(0)
      case 'find':
      case 'counters':
      case 'recount':
      case 'deferred':
      case 'owned':
        return answer(message.call, lookUp(service, message))
      case 'drain':
        service.importAll()
        post({ kind: 'progress', progress: service.progress() })
        return answer(message.call, {})
      case 'stop':
        service.close()
        service = undefined
        return answer(message.call, {})
    }
  }

  function answer(call: number, given: LogAnswer): void {
    post({ kind: 'answer', call, answer: given })
  }

  /** Has the journal imported piece by piece, from the next turn on. */
  function wake(delayMs = 0): void {
    clearTimeout(pumping)
    pumping = setTimeout(() => work(pump), delayMs)
  }

  function pump(): void {
    if (service === undefined) return
    const more = service.importNext()
    service.tidyJournal()
    post({ kind: 'progress', progress: service.progress() })
    if (more) wake()
    else if (service.isWaiting()) wake(WAITING_MS)
  }

  /** Keeps deletion going, a step at a time, often while there is something to delete. */
  function retainAfter(delayMs: number): void {
    clearTimeout(retaining)
    retaining = setTimeout(() => work(retain), delayMs)
  }

  function retain(): void {
    if (service === undefined) return
    retainAfter(service.retain() ? NEXT_STEP_MS : RETAIN_MS)
  }

  /** Any failure ends the thread: the next one goes on from what the database says. */
  function work(step: () => void): void {
    try {
      step()
    } catch (error) {
      service = undefined
      post({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
      // Not at once, or the message would be lost with the thread.
      setTimeout(() => process.exit(1), 0)
    }
  }

  return (message: ToLogWorker) => work(() => handle(message))
}
