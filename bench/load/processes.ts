import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time for programs in hundredths of a second, whatever its own clock. */
const MICROS_PER_TICK = 10_000

/** CPU time used so far: of each process, ended threads included, and of its living threads. */
export type CpuSnapshot = {
  micros: ReadonlyMap<number, number>
  threads: ReadonlyMap<string, { name: string; micros: number }>
}

export type CpuUse = { totalMicros: number; microsByThread: Map<string, number> }

/** The process and all its descendants that are alive; none when it has ended. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>()
  const alive = new Set<number>()
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? readStat(`/proc/${name}/stat`) : undefined
    // A zombie is only a note to its parent.
    if (!fields || fields[0] === 'Z') continue
    alive.add(Number(name))
    const parent = Number(fields[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree = alive.has(pid) ? [pid] : []
  for (let index = 0; index < tree.length; index++)
    tree.push(...(children.get(tree[index] ?? 0) ?? []))
  return tree
}

export function isAlive(pid: number): boolean {
  const fields = readStat(`/proc/${pid}/stat`)
  return fields !== undefined && fields[0] !== 'Z'
}

export function readCpu(pid: number): CpuSnapshot {
  const micros = new Map<number, number>()
  const threads = new Map<string, { name: string; micros: number }>()
  for (const member of processTree(pid)) {
    const fields = readStat(`/proc/${member}/stat`)
    if (fields) micros.set(member, cpuMicros(fields))
    for (const thread of listOrNone(`/proc/${member}/task`)) {
      const path = `/proc/${member}/task/${thread}`
      const own = readStat(`${path}/stat`)
      const name = readOrNone(`${path}/comm`)?.trim()
      if (own && name !== undefined) threads.set(path, { name, micros: cpuMicros(own) })
    }
  }
  return { micros, threads }
}

/** What was used between two snapshots of one tree; what was born between counts in full. */
export function cpuBetween(before: CpuSnapshot, after: CpuSnapshot): CpuUse {
  let totalMicros = 0
  for (const [pid, micros] of after.micros) totalMicros += micros - (before.micros.get(pid) ?? 0)
  const microsByThread = new Map<string, number>()
  for (const [path, { name, micros }] of after.threads) {
    const used = micros - (before.threads.get(path)?.micros ?? 0)
    if (used > 0) microsByThread.set(name, (microsByThread.get(name) ?? 0) + used)
  }
  return { totalMicros, microsByThread }
}

export type MemoryUse = { pssBytes: number; anonBytes: number }

/** Memory of the whole tree: PSS, which counts shared pages by shares, and its anonymous part. */
export function readMemory(pid: number): MemoryUse {
  const use = { pssBytes: 0, anonBytes: 0 }
  for (const member of processTree(pid)) {
    const text = readOrNone(`/proc/${member}/smaps_rollup`) ?? ''
    use.pssBytes += kilobytesOf(text, /^Pss:\s+(\d+) kB/m) * 1024
    use.anonBytes += kilobytesOf(text, /^Pss_Anon:\s+(\d+) kB/m) * 1024
  }
  return use
}

/** Runs `work` and looks at the tree's memory every two seconds meanwhile; gives the largest PSS. */
export async function withPeakPss<T>(
  pid: number,
  work: () => Promise<T>
): Promise<{ result: T; peakPssBytes: number }> {
  let peakPssBytes = 0
  const look = () => {
    peakPssBytes = Math.max(peakPssBytes, readMemory(pid).pssBytes)
  }
  const timer = setInterval(look, 2_000)
  try {
    const result = await work()
    look()
    return { result, peakPssBytes }
  } finally {
    clearInterval(timer)
  }
}

/** Established TCP connections whose local port is `port`, by the kernel's table. */
export function countConnections(port: number): number {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((path) => (readOrNone(path) ?? '').split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => local?.endsWith(suffix) && state === '01').length
}

/** The fields behind the name, which may hold blanks: state, parent, … (proc_pid_stat(5)). */
function readStat(path: string): string[] | undefined {
  const text = readOrNone(path)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

function cpuMicros(fields: string[]): number {
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK
}

function kilobytesOf(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0)
}

/** Processes and threads may end while they are read. */
function readOrNone(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function listOrNone(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
