import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive, processTree } from './processes'

const STOP_LIMIT_MS = 15_000

export type Child = {
  pid: number
  exited: Promise<number>
  /** The last lines that it printed, for a person who wonders why it ended. */
  tail(): string
}

/** Every process that the bench starts, so that none is left when it ends, however it ends. */
export type Children = {
  /** Starts a server; what it prints goes to a file. `cpu`: pinned there; else where the bench is. */
  start(name: string, command: readonly string[], cpu?: number): Child
  /** Runs a tool to its end and gives its output. Throws when it fails or takes longer. */
  run(command: readonly string[], options: RunOptions): Promise<string>
  /** SIGTERM, then SIGKILL for all that is left of its tree. */
  stop(child: Child): Promise<void>
  /** SIGKILL for everything, at once. */
  killAll(): void
}

export type RunOptions = {
  limitMs: number
  env?: Record<string, string>
  stdin?: string
}

/** `environment`: what every process gets; `directory`: where their output goes. */
export function createChildren(
  directory: string,
  environment: Record<string, string | undefined>
): Children {
  const live = new Set<number>()
  let started = 0

  function track(process: Bun.Subprocess): void {
    live.add(process.pid)
    void process.exited.then(() => live.delete(process.pid))
  }

  return {
    start(name, command, cpu) {
      const path = join(directory, `${name}-${++started}.out`)
      const file = openSync(path, 'w')
      const pinned = cpu === undefined ? command : ['taskset', '-c', String(cpu), ...command]
      const process = Bun.spawn([...pinned], {
        env: environment,
        stdio: ['ignore', file, file],
      })
      closeSync(file)
      track(process)
      return {
        pid: process.pid,
        exited: process.exited,
        tail: () => readFileSync(path, 'utf8').trim().split('\n').slice(-8).join('\n'),
      }
    },

    async run(command, { limitMs, env = {}, stdin }) {
      const process = Bun.spawn([...command], {
        env: { ...environment, ...env },
        stdin: stdin === undefined ? 'ignore' : Buffer.from(stdin),
        stdout: 'pipe',
        stderr: 'pipe',
        timeout: limitMs,
        killSignal: 'SIGKILL',
      })
      track(process)
      const [out, errors, exitCode] = await Promise.all([
        process.stdout.text(),
        process.stderr.text(),
        process.exited,
      ])
      if (exitCode === 0) return out
      const how = process.signalCode ? `was killed after ${limitMs} ms` : `ended with ${exitCode}`
      throw new Error(`${command.join(' ')} ${how}: ${errors.trim() || out.trim()}`)
    },

    async stop({ pid, exited }) {
      const tree = processTree(pid)
      sendSignal(pid, 'SIGTERM')
      await Promise.race([exited, Bun.sleep(STOP_LIMIT_MS)])
      for (const member of tree) if (isAlive(member)) sendSignal(member, 'SIGKILL')
      await exited
    },

    killAll() {
      for (const pid of live) for (const member of processTree(pid)) sendSignal(member, 'SIGKILL')
    },
  }
}

/** A process that has just ended has nothing left to hear. */
export function sendSignal(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It is gone, which is what was wanted.
  }
}
