/** The executable is reproducible: clones in other folders, and another environment, give the same bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { buildExecutable } from '../../packer/build/executable.ts'
import { copyCheckout } from '../support/copy.ts'

const home = mkdtempSync(join(tmpdir(), 'slm-copilot-reproducible-'))
afterAll(() => rmSync(home, { recursive: true }))

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

function clone(parent: string): string {
  mkdirSync(join(home, parent), { recursive: true })
  const folder = mkdtempSync(join(home, parent, 'clone-'))
  copyCheckout(folder)
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
