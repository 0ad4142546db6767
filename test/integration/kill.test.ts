/**
 * configure, killed before and after every file's rename: run again, it ends where an undisturbed run ends, and what
 * bootstrap will then do to the services is what it would have done. That they come to it: test/vm/kill.test.ts.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { namesOf } from '../../lib/appliance/names.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { decideTls } from '../../lib/appliance/tls/decision.ts'
import { readTlsFacts } from '../../lib/steps/tls/facts.ts'
import { readFacts } from '../../lib/system/facts.ts'
import { openHost } from '../../lib/system/host.ts'
import { buildExecutable } from '../../packer/build/executable.ts'
import { rightClock } from '../support/clock.ts'
import { actionsBetween } from './support/service-actions.ts'
import { configuredFolder } from './support/stack.ts'

const before = { ONEAPP_COPILOT_PASSWORD: 'password-before' }
const after = {
  ONEAPP_COPILOT_PASSWORD: 'password-after-1',
  ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
  ONEAPP_COPILOT_DOMAIN: 'copilot.example.com',
}

const work = mkdtempSync(join(tmpdir(), 'slm-copilot-kill-'))
const environment = join(work, 'context.env')
let executable: string
let start: string
let undisturbed: string

/** A copy of the folder as it was before. */
const copyOf = (name: string) => {
  const folder = join(work, name)
  cpSync(start, folder, { recursive: true, verbatimSymlinks: true })
  return folder
}

/** Runs configure on the folder, under a tracer's options where given. */
function configure(folder: string, tracer: string[] = []) {
  const [program = '', ...args] = [
    ...tracer,
    executable,
    'configure',
    '--root',
    folder,
    '--context-file',
    environment,
  ]
  return spawnSync(program, args, { encoding: 'utf8' })
}

/** What is in the folder, certificates by their soundness, since each issue differs. */
async function contentOf(folder: string) {
  const entries = globSync('**', { cwd: folder, withFileTypes: false }).filter(
    name => !/\/certificates\/|\.log$|ssl.slm-copilot.(ca|previous-ca|private|current)/.test(name),
  )
  const files = entries.map(name => {
    const status = lstatSync(join(folder, name))
    const content = status.isSymbolicLink()
      ? readlinkSync(join(folder, name))
      : status.isFile()
        ? readFileSync(join(folder, name), 'utf8')
        : ''
    // The note on a new CA, made in each run, has its fingerprint.
    const told = content.replaceAll(folder, '').replaceAll(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, 'fingerprint')
    return `${name} ${status.mode.toString(8)} ${told}`
  })
  const host = openHost({ env: {}, root: folder })
  const names = namesOf(readFacts(), after.ONEAPP_COPILOT_DOMAIN)
  const { leaf } = decideTls(await readTlsFacts(host, rightClock(new Date()), { names }))
  return {
    files: files.sort(),
    hasLeaf: leaf !== undefined,
    leaves: host.files.list(paths.certificates).length,
  }
}

/** How often an undisturbed run makes a system call. */
const countOf = (call: string) => {
  const trace = join(work, 'trace')
  configure(copyOf(`count-${call}`), ['strace', '-o', trace, '-e', `trace=${call}`])
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter(line => line.startsWith(`${call}(`)).length
}

beforeAll(async () => {
  executable = await buildExecutable()
  start = await configuredFolder(before)
  // The install stage's, by which llama-server's version is known.
  openHost({ env: {}, root: start }).files.replaceLink(paths.llamaCurrent, `${paths.llamaCurrent}-release`)
  writeFileSync(
    environment,
    Object.entries(after)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  )
  undisturbed = copyOf('undisturbed')
  configure(undisturbed)
})
afterAll(() => {
  rmSync(work, { recursive: true, force: true })
  rmSync(start, { recursive: true, force: true })
})

// Each file is synced, renamed, and its folder synced: a kill at a sync is one before or after a rename.
it.each(['rename', 'fsync'])('converges after a kill at each %s', async call => {
  const wanted = await contentOf(undisturbed)
  expect(wanted).toMatchObject({ hasLeaf: true, leaves: 1 })
  const actions = actionsBetween(start, undisturbed)
  expect(actions).toEqual({ llama: 'restart', admission: 'restart', nginx: 'reload' })
  const count = countOf(call)
  expect(count).toBeGreaterThan(4)
  for (let number = 1; number <= count; number += 1) {
    const folder = copyOf(`${call}-${number}`)
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${number}`]
    expect(configure(folder, ['strace', '-o', '/dev/null', ...inject]).signal).toBe('SIGKILL')
    expect(configure(folder)).toMatchObject({ status: 0 })
    expect(await contentOf(folder), `${call} ${number} of ${count}`).toEqual(wanted)
    expect(actionsBetween(start, folder)).toEqual(actions)
    expect(configure(folder).stdout).not.toMatch(/created|updated|removed/)
    rmSync(folder, { recursive: true })
  }
  console.log(`${count} kills at ${call}`)
})
