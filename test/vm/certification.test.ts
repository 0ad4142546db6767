/** The marketplace's certification test, run by rspec against the VM as that repository's CI runs it. */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { shellQuoted } from '../../lib/appliance/text.ts'
import { folders, marketplaceFiles } from '../../packer/build/marketplace/files.ts'
import { writeFiles } from '../../packer/build/marketplace/write.ts'
import { parseYaml } from '../../packer/build/marketplace/yaml.ts'
import { facts } from '../packer/marketplace/facts.ts'
import { changeContext } from './context.ts'
import type { Machine } from './machine.ts'
import { contextualizeNow } from './ready.ts'
import { readyContainer } from './shared.ts'
import { sshOptions } from './ssh.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const repository = join(mkdtempSync(join(tmpdir(), 'certification-')), 'repository')
afterAll(() => rmSync(join(repository, '..'), { recursive: true, force: true }))

let vm: Machine

/** The generated files, with the stand-in where the repository has its library. */
function layOut(): void {
  const { files } = marketplaceFiles(facts, path => readFileSync(join(checkout, path), 'utf8'))
  writeFiles(repository, files)
  mkdirSync(join(repository, 'lib', 'community'), { recursive: true })
  const standIn = join(import.meta.dirname, 'certification', 'app_handler.rb')
  copyFileSync(standIn, join(repository, 'lib', 'community', 'app_handler.rb'))
}

/** The parameters in metadata.yaml, under the names that reach the VM. */
function parameters(): Record<string, string> {
  const text = readFileSync(join(repository, folders.appliance, 'metadata.yaml'), 'utf8')
  const { ':context': context } = (parseYaml(text) as Record<':app', Record<':context', unknown>>)[':app']
  const { ':params': params } = context as { ':params': Record<string, string> }
  return Object.fromEntries(Object.entries(params).map(([symbol, value]) => [symbol.slice(1), value]))
}

beforeAll(async () => {
  layOut()
  vm = await readyContainer()
  await changeContext(vm, parameters())
  expect(await contextualizeNow(vm)).toBe('bootstrap_success')
})

type Example = {
  description: string
  status: 'passed' | 'failed' | 'pending'
  exception?: { message: string }
}

/** What rspec says about each example, and on the terminal. */
async function certify(): Promise<{ shown: string; examples: Example[] }> {
  const tests = (
    parseYaml(readFileSync(join(repository, folders.appliance, 'tests.yaml'), 'utf8')) as string[]
  ).map(name => join(folders.appliance, 'tests', name))
  const report = join(repository, 'report.json')
  const rspec = spawn('rspec', ['-f', 'd', '-f', 'j', '-o', report, ...tests], {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, SSH_OPTIONS: sshOptions(vm).map(shellQuoted).join(' ') },
  })
  let shown = ''
  rspec.stdout.setEncoding('utf8').on('data', text => {
    shown += text
  })
  await new Promise((done, fail) => rspec.on('error', fail).on('close', done))
  return { shown, examples: (JSON.parse(readFileSync(report, 'utf8')) as { examples: Example[] }).examples }
}

it('passes', async () => {
  const { shown, examples } = await certify()
  console.log(shown)
  expect(examples.filter(({ status }) => status !== 'passed')).toEqual([])
  expect(examples).toHaveLength(9)
})
