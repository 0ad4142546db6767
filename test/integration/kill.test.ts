/**
 * configure is killed before and after each rename, and run again: the files end up as after an undisturbed run, and
 * bootstrap would do the same to the services. test/vm/kill.test.ts kills bootstrap too, with real services.
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

/** Copies the folder in its initial state, in place of an earlier copy. */
const copyOf = (name: string) => {
  const folder = join(work, name)
  rmSync(folder, { recursive: true, force: true })
  cpSync(start, folder, { recursive: true, verbatimSymlinks: true })
  return folder
}

/** Runs configure on the folder, under strace if options for it are given. */
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

/** The content of the folder; certificates only by their validity, because each one issued is different. */
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
    // The note about a new CA contains a fingerprint, and a stage's result its time, which differ in each run.
    const told = content
      .replaceAll(folder, '')
      .replaceAll(/([0-9A-F]{2}:){31}[0-9A-F]{2}/g, 'fingerprint')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
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

/** How many times an undisturbed run makes a system call. */
const countOf = (call: string) => {
  const trace = join(work, 'trace')
  configure(copyOf('counted'), ['strace', '-o', trace, '-e', `trace=${call}`])
  return readFileSync(trace, 'utf8')
    .split('\n')
    .filter(line => line.startsWith(`${call}(`)).length
}

beforeAll(async () => {
  executable = await buildExecutable()
  start = await configuredFolder(before)
  // Written by the install stage; it tells configure llama-server's version.
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

// Each file is synced and renamed, then its folder synced: a kill at fsync hits either before or after a rename.
it.each(['rename', 'fsync'])('converges after a kill at each %s', async call => {
  const wanted = await contentOf(undisturbed)
  expect(wanted).toMatchObject({ hasLeaf: true, leaves: 1 })
  const actions = actionsBetween(start, undisturbed)
  expect(actions).toEqual({ llama: 'restart', admission: 'restart', nginx: 'reload' })
  const count = countOf(call)
  expect(count).toBeGreaterThan(4)
  for (let number = 1; number <= count; number += 1) {
    const folder = copyOf('killed')
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${number}`]
    expect(configure(folder, ['strace', '-o', '/dev/null', ...inject]).signal).toBe('SIGKILL')
    expect(configure(folder)).toMatchObject({ status: 0 })
    expect(await contentOf(folder), `${call} ${number} of ${count}`).toEqual(wanted)
    expect(actionsBetween(start, folder)).toEqual(actions)
    expect(configure(folder).stdout).not.toMatch(/created|updated|removed/)
  }
  console.log(`${count} kills at ${call}`)
})
