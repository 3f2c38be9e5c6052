import { describe, expect, test } from 'bun:test'
import { dirname, join, normalize, relative } from 'node:path'

const ROOT = join(import.meta.dir, '..')
const MAX_LINES = 400

const FOUNDATION = ['errors', 'std']
const SHARED = ['models', 'protocols', 'db', 'config']
const DOMAINS = [
  'alerts',
  'routing',
  'providers',
  'cache',
  'guardrails',
  'mcp',
  'keys',
  'limits',
  'ledger',
  'pricing',
  'telemetry',
]

/**
 * What each folder of src/ may import, beside itself. A folder without a row fails the test, so that
 * a new one has to say where it stands.
 */
const MAY_IMPORT: Record<string, string[]> = {
  'main.ts': ['cli'],
  cli: ['http', 'gateway', 'simulator', ...DOMAINS, ...SHARED, ...FOUNDATION],
  http: ['console', 'gateway', ...DOMAINS, ...SHARED, ...FOUNDATION],
  gateway: [...DOMAINS, ...SHARED, ...FOUNDATION],
  console: ['protocols', 'std'],
  simulator: ['protocols', 'std'],
  errors: [],
  std: ['errors'],
}
for (const domain of DOMAINS) MAY_IMPORT[domain] = [...DOMAINS, ...SHARED, ...FOUNDATION]
for (const shared of SHARED) MAY_IMPORT[shared] = FOUNDATION

/** Packages that only one folder may know. */
const OWNED_PACKAGES: Record<string, string> = { hono: 'http', 'drizzle-orm': 'db' }

/** Files outside the simulator that may call fetch: the one place that talks to upstreams. */
const FETCH_CALLERS = [
  'src/providers/send.ts',
  'src/providers/credentials/bounded-fetch.ts',
  'src/providers/fetch-media.ts',
  'src/alerts/post-webhook.ts',
]

// `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, type imports included.
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+)['"]([^'"]+)['"]/g
// The global function called or handed on. A line that ends in `{` defines a method of that name, as
// servers have one, and a method called on something is somebody else's.
const FETCH_CALL = /(?<![\w$.])(?:globalThis\.fetch|Bun\.fetch|fetch\s*\((?!.*\{\s*$))/m

// `x as T`, but not `as const`.
const CAST = /[^\n]*[\w)\]}]\s+as\s+(?!const\b)[\w{([][^\n]*/g

type SourceFile = { path: string; text: string; imports: string[] }

async function readSources(folder: string): Promise<SourceFile[]> {
  const paths = await Array.fromAsync(new Bun.Glob('**/*.{ts,tsx,mjs}').scan(join(ROOT, folder)))
  return Promise.all(
    paths.sort().map(async (name) => {
      const path = join(folder, name).replaceAll('\\', '/')
      const text = await Bun.file(join(ROOT, path)).text()
      return { path, text, imports: [...text.matchAll(IMPORT)].map((match) => match[1] ?? '') }
    })
  )
}

const isTest = (path: string) => path.endsWith('.test.ts') || path.includes('/fixtures/')

/** `src/http/app.ts` is of `http`, `src/main.ts` of itself. */
const folderOf = (path: string) => path.split('/')[1] ?? path

function projectFileOf(file: SourceFile, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = normalize(join(ROOT, dirname(file.path), specifier))
  return relative(ROOT, target).replaceAll('\\', '/')
}

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

const sources = await readSources('src')
const others = (await Promise.all(['test', 'bench', 'build'].map(readSources))).flat()

describe('architecture', () => {
  test('every folder of src/ has a row', () => {
    const folders = new Set(sources.map((file) => folderOf(file.path)))
    expect([...folders].filter((folder) => MAY_IMPORT[folder] === undefined)).toEqual([])
  })

  test('imports point one way', () => {
    const wrong = sources
      // A test may reach for what it needs to build a situation.
      .filter((file) => !isTest(file.path))
      .flatMap((file) => {
        const folder = folderOf(file.path)
        const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])]
        return file.imports
          .map((specifier) => projectFileOf(file, specifier))
          .filter((target) => target?.startsWith('src/'))
          .filter((target) => target !== undefined && !allowed.includes(folderOf(target)))
          .map((target) => `${file.path} imports ${target}`)
      })
    expect(wrong).toEqual([])
  })

  test('packages that one folder owns are imported nowhere else', () => {
    const wrong = sources
      .filter((file) => !isTest(file.path))
      .flatMap((file) =>
        file.imports
          .filter((specifier) => {
            const owner = OWNED_PACKAGES[packageOf(specifier)]
            return owner !== undefined && owner !== folderOf(file.path)
          })
          .map((specifier) => `${file.path} imports ${specifier}`)
      )
    expect(wrong).toEqual([])
  })

  test('one file calls fetch', () => {
    const callers = sources
      .filter((file) => !isTest(file.path) && folderOf(file.path) !== 'simulator')
      .filter((file) => FETCH_CALL.test(withoutComments(file.text)))
      .map((file) => file.path)
    expect(callers.filter((path) => !FETCH_CALLERS.includes(path))).toEqual([])
  })

  test('one folder opens sockets', () => {
    const openers = sources
      .filter((file) => !isTest(file.path) && folderOf(file.path) !== 'simulator')
      .filter((file) =>
        /\bBun\.connect\b|['"]node:(?:net|tls|http|https|http2)['"]/.test(file.text)
      )
      .map((file) => file.path)
    expect(openers.filter((path) => !path.startsWith('src/providers/http1/'))).toEqual([])
  })

  test('types are narrowed, never asserted, outside std', () => {
    const casts = sources
      .filter((file) => !isTest(file.path) && folderOf(file.path) !== 'std')
      .flatMap((file) =>
        [...codeOf(file.text).matchAll(CAST)].map((match) => `${file.path}: ${match[0].trim()}`)
      )
    expect(casts).toEqual([])
  })

  test(`no file has more than ${MAX_LINES} lines`, () => {
    const long = [...sources, ...others]
      .filter((file) => !file.path.includes('/fixtures/'))
      .map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
      .filter((file) => file.lines > MAX_LINES)
    expect(long).toEqual([])
  })
})

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(?<!:)\/\/.*$/gm, '')
}

/** Code alone: no comments, no text in quotes, no renaming imports and exports. */
function codeOf(text: string): string {
  return withoutComments(text)
    .replace(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g, "''")
    .replace(/\b(?:import|export)\s+(?:type\s+)?[\w\s,*{}]+\sfrom\s/g, '')
}
