/** Blocks of commands in the documents, run as they stand, with the test's address, key and files for the examples. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildExecutable } from '../../packer/build/executable.ts'
import { sentence, sentenceModel } from '../mirror/sentence-model.ts'
import { blocksRunBy } from '../support/command-blocks.ts'
import { type Stack, startStack } from './support/stack.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-documents-'))
const blocks = blocksRunBy(import.meta.filename)

let stack: Stack
/** What each example in the documents stands for here. */
let examples: [string, string][]

beforeAll(async () => {
  stack = await startStack({})
  writeFileSync(join(folder, 'key'), `${stack.key}\n`)
  copyFileSync(await sentenceModel(), join(folder, 'FILE.gguf'))
  writeFileSync(join(folder, 'ca.crt'), stack.ca)
  const executable = await buildExecutable()
  examples = [
    ['copilot.example.com', new URL(stack.url).host],
    ['dist/slm-copilot', executable],
    ['/tmp/', `${folder}/`],
    ['FILE.gguf', join(folder, 'FILE.gguf')],
    ['lifecycle/cli/start.ts', join(checkout, 'lifecycle/cli/start.ts')],
    ['./lib/', `${checkout}/lib/`],
  ]
})
afterAll(async () => {
  await stack.close()
  rmSync(folder, { recursive: true })
})

/** In one folder, as whoever follows a document would: a block finds the files of those before it. */
function run(text: string) {
  const script = examples.reduce((filled, [example, actual]) => filled.replaceAll(example, actual), text)
  const PATH = [join(checkout, 'node_modules', '.bin'), process.env.PATH].join(delimiter)
  const { status, stdout, stderr } = spawnSync('bash', ['-e', '-c', script], {
    cwd: folder,
    env: { ...process.env, PATH },
    input: `${stack.key}\n`,
    encoding: 'utf8',
    timeout: 120_000,
  })
  return { status, stdout, stderr }
}

/** What the output of some of them contains, by a word of their commands. */
const outputs: [string, string | RegExp][] = [
  ['-fingerprint', /^sha256 Fingerprint=([0-9A-F]{2}:){31}[0-9A-F]{2}$/im],
  ['/v1/chat/completions', sentence],
  ['readModelFile', /kvHeads: \d/],
  ['--dry-run', '/etc/slm-copilot/plan.json: would be updated'],
]

it('has blocks to run', () => {
  expect(blocks.length).toBeGreaterThan(4)
})

it.each(blocks)('$document:$line', ({ text }) => {
  const { status, stdout, stderr } = run(text)
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  for (const [word, output] of outputs) if (text.includes(word)) expect(stdout).toMatch(output)
})
