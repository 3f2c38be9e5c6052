// A process of its own: libraries read the environment, and it can trust a certificate from its start on. Reads one
// task from its standard input, prints one line of JSON.
import { z } from 'zod'
import { createCredential } from '../../src/providers/credentials/create-credential'
import { GatewayError } from '../../src/errors/gateway-error'

const taskSchema = z.object({
  // Checked where it is written: it is handed over between two files of this test.
  identity: z.custom<Parameters<typeof createCredential>[0]>(),
  hostUrl: z.string(),
  requests: z.number(),
  /** From the start of one request to the start of the next. */
  everyMs: z.number(),
})
export type Task = z.infer<typeof taskSchema>
export type Report = {
  readonly answered: number
  /** Sent twice, as the host refused the first. */
  readonly resent: number
  /** Headers of the last request that a credential made, and why others got none. */
  readonly headers: Record<string, string>
  readonly failures: readonly string[]
}

const BODY = new TextEncoder().encode('{"messages":[{"role":"user","content":"hi"}]}')

async function run({ identity, hostUrl, requests, everyMs }: Task): Promise<Report> {
  const credential = createCredential(identity)
  const report = { answered: 0, resent: 0, headers: {}, failures: new Array<string>() }
  const url = `${hostUrl}/model/a.b%3A0/converse?x=1&y=a%20b`
  const unsigned = { method: 'POST', url, headers: { 'content-type': 'application/json' } } as const
  const send = async () => {
    const signed = await credential.sign({ ...unsigned, body: BODY })
    report.headers = signed
    const headers = { ...unsigned.headers, ...signed }
    const answer = await fetch(url, { method: 'POST', headers, body: BODY })
    await answer.arrayBuffer()
    return { signed, answer }
  }
  const sendOrResend = async () => {
    const { signed, answer } = await send()
    if (answer.status !== 401 && answer.status !== 403) return answer.status
    report.resent++
    credential.refused({ signed, date: answer.headers.get('date') })
    return (await send()).answer.status
  }
  const sendAndReport = async () => {
    try {
      const status = await sendOrResend()
      if (status === 200) report.answered++
      else report.failures.push(`status ${status}`)
    } catch (error) {
      report.failures.push(error instanceof GatewayError ? (error.detail ?? '') : String(error))
    }
  }
  const sends: Promise<void>[] = []
  const startedAt = performance.now()
  for (let i = 0; i < requests; i++) {
    const early = startedAt + i * everyMs - performance.now()
    if (early > 0) await Bun.sleep(early)
    sends.push(sendAndReport())
  }
  await Promise.all(sends)
  credential.close()
  return report
}

if (import.meta.main) {
  console.log(JSON.stringify(await run(taskSchema.parse(await Bun.stdin.json()))))
  process.exit(0)
}
