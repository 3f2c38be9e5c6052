// Makes the executable: `bun run build` for this machine into dist/tollgate, `--all` for every
// system that Bun has a runtime for, into dist/tollgate-{os}-{arch}[-musl][.exe].
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { BunPlugin } from 'bun'

const ROOT = join(import.meta.dir, '..')
const DIST = join(ROOT, 'dist')

const TARGETS = [
  'bun-linux-x64',
  'bun-linux-arm64',
  'bun-linux-x64-musl',
  'bun-linux-arm64-musl',
  'bun-darwin-x64',
  'bun-darwin-arm64',
  'bun-windows-x64',
  'bun-windows-arm64',
] as const

type Target = (typeof TARGETS)[number]

/** Large tables of text are read once, if at all: in the executable they are a third of their size. */
const COMPRESS: BunPlugin = {
  name: 'compress',
  setup(build) {
    build.onLoad({ filter: /\.tiktoken$/ }, async ({ path }) => ({
      contents: await Bun.zstdCompress(await Bun.file(path).bytes(), { level: 19 }),
      loader: 'file',
    }))
  },
}

/** Workers are loaded by name at run time, so each is an entry of its own. */
async function findEntrypoints(): Promise<string[]> {
  const workers = await Array.fromAsync(new Bun.Glob('src/**/*-worker.ts').scan(ROOT))
  return ['src/main.ts', ...workers.sort()].map((path) => join(ROOT, path))
}

/** Compiles for `target`, or for this machine when it is `undefined`; gives what was wrong. */
async function compile(
  entrypoints: string[],
  outfile: string,
  target: Target | undefined
): Promise<string | undefined> {
  const built = await Bun.build({
    entrypoints,
    compile: {
      ...(target ? { target } : {}),
      outfile,
      // The directory it is started in must not change what it does, let alone run code in it.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
    format: 'esm',
    minify: true,
    bytecode: true,
    // What is loaded only when it is needed stays out of the start.
    splitting: true,
    sourcemap: 'inline',
    plugins: [COMPRESS],
    throw: false,
  })
  // Source maps are inside the executable, which needs no file beside it; Bun writes them out too.
  for (const { kind, path } of built.outputs) if (kind === 'sourcemap') rmSync(path)
  return built.success ? undefined : built.logs.map(({ message }) => message).join('\n')
}

function outfileFor(target: Target | undefined): string {
  const extension = (target ?? `bun-${process.platform}`).startsWith('bun-win') ? '.exe' : ''
  const name = target ? `tollgate-${target.slice('bun-'.length)}` : 'tollgate'
  return join(DIST, `${name}${extension}`)
}

async function run(): Promise<number> {
  const entrypoints = await findEntrypoints()
  const targets = process.argv.includes('--all') ? TARGETS : [undefined]
  mkdirSync(DIST, { recursive: true })
  let failed = 0
  for (const target of targets) {
    const outfile = outfileFor(target)
    const problem = await compile(entrypoints, outfile, target)
    const name = relative(ROOT, outfile)
    if (problem === undefined) {
      console.log(`${name}  ${(statSync(outfile).size / 1e6).toFixed(1)} MB`)
    } else {
      failed++
      console.error(`${name}: not built: ${problem}`)
    }
  }
  return failed === 0 ? 0 : 1
}

process.exit(await run())
