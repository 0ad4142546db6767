/**
 * Continue against one appliance: chat with `cn`; chat, completion, index and search with Continue's core, which its editors
 * run. From npm come the newest `cn`, and of the core 1.1.0, without its reranking by `/v1/rerank` and without the editor.
 */
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import type { ClientConfiguration } from '../../lib/render/clients/configuration.ts'
import { allClients } from './clients.ts'
import { homeWith, type Screen } from './home.ts'

/** The core as one file: its modules import each other without extensions, so that Node.js alone cannot load it. */
async function bundleCore(folder: string, modules: string): Promise<string> {
  const outfile = join(folder, 'core.cjs')
  await build({
    stdin: {
      contents: `export { Core } from '@continuedev/core/dist/core.js'
export { default as FileSystemIde } from '@continuedev/core/dist/util/filesystem.js'
export { InProcessMessenger } from '@continuedev/core/dist/protocol/messenger/index.js'`,
      resolveDir: modules,
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    external: ['vectordb'],
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href' },
    plugins: [replaced()],
    logLevel: 'error',
  })
  // What it expects beside itself.
  const packages = join(modules, 'node_modules')
  const beside = {
    'tree-sitter.wasm': 'web-tree-sitter/tree-sitter.wasm',
    'tree-sitter-wasms': 'tree-sitter-wasms/out',
    'llamaTokenizerWorkerPool.mjs': '@continuedev/core/llm/llamaTokenizerWorkerPool.mjs',
    'tiktokenWorkerPool.mjs': '@continuedev/core/llm/tiktokenWorkerPool.mjs',
  }
  for (const [name, target] of Object.entries(beside)) symlinkSync(join(packages, target), join(folder, name))
  return outfile
}

/** For TypeScript configurations, and for models that the core would run itself. */
const furtherUnused = ['esbuild', 'onnxruntime-web', '@huggingface/jinja']

/** SQLite is replaced by Node.js's own; what package.json replaces by an empty package is not used here. */
function replaced(): Plugin {
  const { overrides } = JSON.parse(readFileSync(join(import.meta.dirname, 'package.json'), 'utf8'))
  const unused = new Set([
    ...Object.entries(overrides['@continuedev/core'])
      .filter(([, version]) => String(version).includes('empty-npm-package'))
      .map(([name]) => name),
    ...furtherUnused,
  ])
  return {
    name: 'replaced',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^sqlite$/ }, () => ({
        path: join(import.meta.dirname, 'programs/continue-sqlite.mjs'),
      }))
      onResolve({ filter: /^[^./]/ }, ({ path }) =>
        unused.has(path) ? { path, namespace: 'unused' } : undefined,
      )
      onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {}' }))
    },
  }
}

/** A project of two files, the first with a gap. */
const files = {
  'add.py': 'def add(left, right):\n    return\n\n\nprint(add(1, 2))\n',
  'subtract.py': 'def subtract(left, right):\n    return left - right\n',
}

export type ContinueRun = { cli: Screen; core: Screen }

/** Runs both in a home with this configuration, as printed. */
export async function runContinue(configuration: ClientConfiguration, modules: string): Promise<ContinueRun> {
  const home = homeWith(configuration, modules)
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(home.project, name), text)
    const cli = allClients.find(({ name }) => name === 'continue')
    if (cli === undefined) throw new Error('cn is not among the clients')
    const program = join(import.meta.dirname, 'programs/continue-core.cjs')
    return {
      cli: await cli.ask(home, modules, 'Say hello.'),
      core: await home.run([process.execPath, program, await bundleCore(home.folder, modules)]),
    }
  } finally {
    home.remove()
  }
}

/** The lines that our program prints, without the core's own messages. */
export const transcriptOf = ({ cli, core }: ContinueRun): string[] => [
  `cn --print "Say hello." -> ${cli.text.trim()}`,
  ...core.text.split('\n').filter(line => /^(chat|complete|index|search) /.test(line)),
]
