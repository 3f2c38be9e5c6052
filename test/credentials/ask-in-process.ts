import { join } from 'node:path'
import type { Report, Task } from './ask'
import { CERTIFICATE_FILE } from './other-stand-ins'

const PROGRAM = join(import.meta.dir, 'ask.ts')

/** Nothing of the machine that runs the tests may decide who it is. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  NODE_EXTRA_CA_CERTS: CERTIFICATE_FILE,
  AWS_EC2_METADATA_DISABLED: 'true',
  METADATA_SERVER_DETECTION: 'ping-only',
  GCE_METADATA_HOST: '127.0.0.1:1',
}

export type Environment = Readonly<Record<string, string>>

/** Sends requests with the credential of an identity from a process with that environment; gives what came of them. */
export async function askInProcess(task: Task, environment: Environment = {}): Promise<Report> {
  const child = Bun.spawn([process.execPath, 'run', PROGRAM], {
    env: { ...ENVIRONMENT, ...environment },
    stdin: Buffer.from(JSON.stringify(task)),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [printed, complaints] = await Promise.all([child.stdout.text(), child.stderr.text()])
  await child.exited
  if (printed === '') throw new Error(`the process ended without a report: ${complaints}`)
  const report: Report = JSON.parse(printed)
  return report
}
