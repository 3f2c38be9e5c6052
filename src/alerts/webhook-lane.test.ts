import { describe, expect, test } from 'bun:test'
import type { WebhookSettings } from '../config/alerts'
import type { PendingAlert } from './alert-files'
import type { WebhookAnswer } from './post-webhook'
import { MOST_WAITING, RETRY_DELAYS_MS, WebhookLane } from './webhook-lane'

const WEBHOOK: WebhookSettings = {
  ...{ name: 'ops', url: 'http://127.0.0.1:9/', secrets: [], events: [], subjects: [] },
  ...{ headers: {}, timeoutMs: 1_000, privateAddresses: true, proxy: undefined },
}

const alertOf = (id: string, createdAtMs = Date.now()): PendingAlert => ({
  ...{ id, createdAtMs, webhooks: new Set(['ops']), body: '{}' },
  mark: { key: id, untilMs: 0 },
})

const answered = (status: number, retryAfterMs?: number): WebhookAnswer => ({
  ...{ kind: 'answered', status, retryAfterMs, text: '' },
})

function open(answer: () => WebhookAnswer | Promise<WebhookAnswer>, random = () => 0) {
  const lines: Record<string, unknown>[] = []
  const done: string[] = []
  const note = (message: string, fields = {}) => void lines.push({ message, ...fields })
  let posted = 0
  const lane = new WebhookLane(WEBHOOK, {
    post: async () => {
      posted++
      return answer()
    },
    onDone: (_, { id }) => void done.push(id),
    programLog: { debug: note, info: note, warn: note, error: note },
    retryDelaysMs: RETRY_DELAYS_MS,
    random,
  })
  const add = async (alert: PendingAlert) => {
    await lane.add(alert, Promise.resolve())
    // Until what is answered at once has been looked at.
    await Bun.sleep(0)
  }
  return { lane, lines, done, add, posted: () => posted }
}

describe('alerts for one webhook', () => {
  test.each([
    ['five seconds', 0, undefined, 5],
    ['up to a fifth more', 1, undefined, 6],
    ['what it asks for where that is more', 0, 60_000, 60],
    ['five seconds where it asks for less', 0, 1_000, 5],
  ])('are first tried again after %s', async (_, random, askedMs, retryInSeconds) => {
    const { lane, lines, add, done } = open(
      () => answered(503, askedMs),
      () => random
    )
    await add(alertOf('a'))
    expect(lines).toMatchObject([{ message: 'an alert was not taken', retryInSeconds }])
    expect(done).toEqual([])
    await lane.stop()
  })

  test('are given up when the next attempt would find them more than a day old', async () => {
    const { lines, done, add } = open(() => answered(503))
    await add(alertOf('a', Date.now() - 86_400_000))
    expect(done).toEqual(['a'])
    expect(lines).toMatchObject([{ message: 'an alert is given up', problem: 'answered with 503' }])
  })

  test('wait in a bounded number, beyond which the log tells of them, and less and less often', async () => {
    const { lane, lines, posted } = open(() => new Promise(() => {}))
    for (let at = 0; at < MOST_WAITING; at++) {
      expect(lane.hasRoom()).toBe(true)
      void lane.add(alertOf(String(at)), Promise.resolve())
    }
    for (let at = 0; at < 150; at++) expect(lane.hasRoom()).toBe(false)
    expect(lines.map(({ dropped }) => dropped)).toEqual([1, 10, 100])
    await Bun.sleep(0)
    expect(posted()).toBe(4)
  })

  test('are tried at once when the webhook is configured anew', async () => {
    let status = 500
    const { lane, done, add } = open(() => answered(status))
    await add(alertOf('a'))
    status = 200
    lane.configure({ ...WEBHOOK })
    await Bun.sleep(0)
    expect(done).toEqual([])
    lane.configure({ ...WEBHOOK, url: 'http://127.0.0.1:10/' })
    await Bun.sleep(0)
    expect(done).toEqual(['a'])
  })

  test('are all dropped by a webhook that is gone, until the configuration is read again', async () => {
    const { lane, done, add } = open(() => answered(410))
    await add(alertOf('a'))
    expect(done).toEqual(['a'])
    expect(lane.hasRoom()).toBe(false)
    lane.configure(WEBHOOK)
    expect(lane.hasRoom()).toBe(true)
  })
})
