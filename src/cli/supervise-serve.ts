import { totalmem } from 'node:os'
import { createProgramLog, type ProgramLogFormat } from '../telemetry/program-log'
import { supervise } from './supervisor'

/** Set in the serving process, so that it knows that it is the child. */
export const SERVING_PROCESS_VARIABLE = 'TOLLGATE_SERVING_PROCESS'

/**
 * The memory that the garbage collector is told of. On a machine with more it lets young objects pile up
 * longer: some 30 MB under load, for no measurable gain.
 */
const HEAP_RAM_BYTES = 8 * 1024 ** 3

/**
 * What Bun reads only when a process starts; an operator's own value wins. Without the first it
 * runs 256 fetches at once and queues the rest in silence; the second lets TLS origins choose
 * HTTP/2; with the third the child ends when this process does, even by `kill -9`. The fourth has functions compiled
 * once they are busy for good: at JSC's own 500 a start compiles for 25 ms what it never runs again. With the fifth the
 * collector runs when a heap has grown by 0.7 of what was alive: at JSC's own factor of 2 some 10 MB more pile up under
 * load, for 2 % of CPU.
 */
const BUN_SETTINGS = {
  BUN_CONFIG_MAX_HTTP_REQUESTS: '65535',
  BUN_FEATURE_FLAG_EXPERIMENTAL_HTTP2_CLIENT: '1',
  BUN_FEATURE_FLAG_NO_ORPHANS: '1',
  BUN_JSC_thresholdForJITAfterWarmUp: '5000',
  BUN_JSC_smallHeapGrowthFactor: '1.7',
  ...(totalmem() > HEAP_RAM_BYTES && { BUN_JSC_forceRAMSize: String(HEAP_RAM_BYTES) }),
}

/**
 * The parent of `tollgate serve`: starts the serving process with the same arguments (from
 * `serve` on) and looks after it; gives the exit code. The arguments are the child's to refuse, and
 * next to nothing is loaded here, since this stands between the start and the first answer.
 */
export function superviseServe(args: string[]): Promise<number> {
  const programLog = createProgramLog({ level: 'warn', format: readLogFormat(args) })
  return supervise({
    command: [...ownCommand(), ...args],
    environment: { ...BUN_SETTINGS, ...process.env, [SERVING_PROCESS_VARIABLE]: '1' },
    notice: (message, fields) => programLog.error(message, fields),
  })
}

function ownCommand(): string[] {
  if (Bun.isStandaloneExecutable) return [process.execPath]
  return [process.execPath, ...process.execArgv, Bun.main]
}

/** Only so that both processes log alike: what is wrong with an argument is for the child to say. */
function readLogFormat(args: string[]): ProgramLogFormat | undefined {
  const text = args.join(' ').match(/--log-format[= ](json|text)\b/)?.[1]
  return text === 'json' || text === 'text' ? text : undefined
}
