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

/** The same for those of this process's threads whose names have a nice value; again and again, for some come later. */
export function lowerThreads(niceByName: Readonly<Record<string, number>>): void {
  try {
    for (const thread of readdirSync('/proc/self/task')) {
      const name = readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim()
      const nice = Object.hasOwn(niceByName, name) ? niceByName[name] : undefined
      if (nice !== undefined) setPriority(Number(thread), nice)
    }
  } catch {
    // One that has ended meanwhile, or all of them where there is no such folder: they run like any other thread.
  }
}
