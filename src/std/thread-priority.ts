import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'

/**
 * Puts the calling thread behind others by a nice value. Only Linux tells a thread its number and takes it for a
 * process's; elsewhere nothing happens.
 */
export function lowerThisThread(nice: number): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), nice)
  } catch {
    // It runs like any other thread.
  }
}

/** The same for this process's threads of a name; false while there is none, or where it can't be told. */
export function lowerThreads(name: string, nice: number): boolean {
  let isFound = false
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      if (readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() !== name) continue
      setPriority(Number(thread), nice)
      isFound = true
    }
  } catch {
    // They run like any other thread.
  }
  return isFound
}
