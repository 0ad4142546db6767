/** The executable is reproducible: clones in other folders, and another environment, give the same bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { buildExecutable } from '../../packer/build/executable.ts'

const checkout = resolve(import.meta.dirname, '..', '..')
const home = mkdtempSync(join(tmpdir(), 'slm-copilot-reproducible-'))
afterAll(() => rmSync(home, { recursive: true }))

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Copies what git would put into a clone, uncommitted changes included, and links the packages. */
function clone(parent: string): string {
  mkdirSync(join(home, parent), { recursive: true })
  const folder = mkdtempSync(join(home, parent, 'clone-'))
  const copy = `set -euo pipefail; git ls-files --cached --others --exclude-standard --deduplicate -z |
  tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$1"`
  execFileSync('bash', ['-c', copy, 'bash', folder], { cwd: checkout })
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  return folder
}

/** Builds in a clone, started from one of its folders, and returns the executable's digest. */
function buildIn(folder: string, startedFrom: string, env: NodeJS.ProcessEnv): string {
  const cache = join(folder, '.cache')
  const build = join(folder, 'packer', 'build', 'executable.ts')
  execFileSync('bash', ['-c', 'umask "$1"; exec "$2" "$3"', 'bash', '077', process.execPath, build], {
    cwd: join(folder, startedFrom),
    env: { ...process.env, SLM_COPILOT_CACHE: cache, ...env },
  })
  return digestOf(join(folder, 'dist', 'slm-copilot'))
}

it('two clones and this checkout give the same executable', async () => {
  const here = digestOf(await buildExecutable())
  const shallow = buildIn(clone('.'), '.', {})
  const deep = buildIn(clone('some/where else'), 'lib/edge', {
    TZ: 'Pacific/Auckland',
    LC_ALL: 'C',
    HOME: home,
    SOURCE_DATE_EPOCH: '1',
  })
  expect([shallow, deep]).toEqual([here, here])
})
