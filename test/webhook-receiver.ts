import { Webhook } from 'standardwebhooks'
import { isRecord } from '../src/std/record'

/** A secret as `openssl rand` makes them. */
export const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`

export type ReceivedAlert = {
  headers: Headers
  /** As the library gave it once it had checked the signature. */
  alert: Record<string, unknown>
}

export type WebhookReceiver = {
  url: string
  /** Every message that came, taken or not. */
  received: ReceivedAlert[]
  /** What the next messages are answered with. */
  answer: (number: number) => Response | Promise<Response>
  stop(): Promise<void>
}

/** Somebody who is told of alerts: checks each signature with the library that receivers use. */
export function startReceiver(answer: WebhookReceiver['answer'], secret = SECRET): WebhookReceiver {
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    async fetch(request) {
      const headers = Object.fromEntries(request.headers)
      const alert = new Webhook(secret).verify(await request.text(), headers)
      if (!isRecord(alert)) throw new Error('an alert is an object')
      receiver.received.push({ headers: request.headers, alert })
      return receiver.answer(receiver.received.length)
    },
    error: () => new Response('not signed', { status: 401 }),
  })
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${server.port}/alerts`,
    received: [],
    answer,
    stop: () => server.stop(true),
  }
  return receiver
}
