/** What llama-server's unit calls: the reason for clients, restart delays, and giving up a model that never loads. */
import { describe, expect, it } from 'vitest'
import { paths, units } from '../../lib/appliance/paths.ts'
import { planNotes } from '../../lib/appliance/plan.ts'
import { attemptsToLoad } from '../../lib/appliance/services/restarts.ts'
import { stateFiles } from '../../lib/appliance/state-files.ts'
import { readRestarts, recordLoaded, recordRestarts } from '../../lib/steps/llama/restarts.ts'
import { requireState } from '../../lib/system/state-files.ts'
import { pendingRestart } from '../../lifecycle/cli/status/pending.ts'
import { configure } from '../../lifecycle/configure.ts'
import { llamaEnded, llamaStarting } from '../../lifecycle/llama-unit.ts'
import { tinyModel } from '../support/capacity.ts'
import { type RecordedHost, recordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

const reasonOf = (host: RecordedHost) => host.files.read(paths.unavailableReason)?.trim()
const givenUp = `systemctl stop --no-block ${units.llama}`

/** The variables in which systemd reports how a service ended (systemd.exec(5)). */
const end = (result: string, exitCode: string, exitStatus: string) => ({
  SERVICE_RESULT: result,
  EXIT_CODE: exitCode,
  EXIT_STATUS: exitStatus,
})
const outOfMemory = end('oom-kill', 'killed', 'KILL')

describe('tells clients why it ended', () => {
  it.each([
    ['out of memory', outOfMemory, 'ran out of memory'],
    ['a signal', end('signal', 'killed', 'KILL'), 'was killed by signal KILL'],
    ['a crash', end('core-dump', 'dumped', 'SEGV'), 'crashed (segmentation fault)'],
    ['an exit', end('exit-code', 'exited', '1'), 'exited with code 1'],
    ['a start timeout', end('timeout', 'killed', 'TERM'), 'did not start in time'],
  ])('%s', async (_, env, cause) => {
    const host = recordedHost({ env })
    recordLoaded(host)
    await llamaEnded(host)
    expect(reasonOf(host)).toBe(
      `llama-server ${cause} at 10:00:00 UTC; it will be restarted at 10:00:01 UTC.`,
    )
  })

  it('the watchdog, whose reason takes precedence over that of systemd', async () => {
    const host = recordedHost({ env: end('signal', 'killed', 'KILL') })
    recordRestarts(host, { ...readRestarts(host), endedFor: 'stopped answering' })
    await llamaEnded(host)
    expect(reasonOf(host)).toMatch(/^llama-server stopped answering at /)
  })

  it('a stop on purpose', async () => {
    const host = recordedHost({ env: end('success', 'exited', '0') }, command =>
      command.startsWith('systemctl list-jobs') ? { stdout: `1 ${units.llama} stop running\n` } : undefined,
    )
    await llamaEnded(host)
    expect(reasonOf(host)).toBe('llama-server was stopped at 10:00:00 UTC.')
    expect(readRestarts(host).failures).toBe(0)
  })
})

it('plans again with less memory after running out of it, and only then', async () => {
  const planAgain = `systemctl start --no-block ${units.reconfigure}`
  const host = await servingHost({ env: end('signal', 'killed', 'KILL') }, tinyModel)
  await configure({ ...host, env: {} })
  await llamaEnded(host)
  expect(host.commands).not.toContain(planAgain)
  await llamaEnded({ ...host, env: outOfMemory })
  expect(host.commands).toContain(planAgain)
  await configure({ ...host, env: {} })
  const plan = requireState(host, stateFiles.plan)
  expect(planNotes(plan).join(' ')).toMatch(/llama-server ran out of memory although the plan took/)
})

describe('a model that does not load', () => {
  const endings = async (host: RecordedHost, count: number) => {
    for (let ending = 0; ending < count; ending += 1) await llamaEnded(host)
  }

  it('is given up if it never has', async () => {
    const host = recordedHost({ env: end('exit-code', 'exited', '1') })
    await endings(host, attemptsToLoad - 1)
    expect(host.commands).not.toContain(givenUp)
    await endings(host, 1)
    expect(host.commands).toContain(givenUp)
    expect(reasonOf(host)).toMatch(/^The model cannot be loaded: llama-server exited with code 1/)
    // A manual start has all attempts again, without delay.
    expect(readRestarts(host)).toMatchObject({ failures: 0 })
  })

  it('is retried for ever if it has before, with delays of up to a minute', async () => {
    const host = recordedHost({ env: outOfMemory })
    recordLoaded(host)
    await endings(host, 3 * attemptsToLoad)
    expect(host.commands).not.toContain(givenUp)
    const { next, endedAt } = readRestarts(host)
    expect(next - endedAt).toBe(60)
  })
})

describe('before it starts', () => {
  it('waits for the delay, and says that it is loading again', async () => {
    const host = recordedHost({ env: outOfMemory })
    recordLoaded(host)
    await llamaEnded(host)
    host.files.replace(paths.healthy, '', 0o644)
    const start = Date.now()
    await llamaStarting(host)
    expect(Date.now() - start).toBeGreaterThan(950)
    expect(reasonOf(host)).toBe(
      'llama-server ran out of memory at 10:00:00 UTC; it is loading the model again.',
    )
    // So that the watchdog's next check is a full one, and notices that it has loaded.
    expect(host.files.status(paths.healthy)).toBeUndefined()
  })

  it.each(['1970-01-02', '2040-01-02'])(
    'goes by the time since boot if the clock is set to %s',
    async day => {
      let now = new Date('2026-02-14T10:00:00Z')
      const host = recordedHost({ env: outOfMemory, now: () => now })
      const setUptime = (seconds: number) => host.files.replace('/proc/uptime', `${seconds}.00 9.00\n`, 0o644)
      host.files.makeFolder('/proc')
      recordLoaded(host)
      setUptime(100)
      for (let ending = 0; ending < 5; ending += 1) await llamaEnded(host)
      now = new Date(`${day}T00:00:10Z`)
      expect(pendingRestart(host)).toBe('llama-server ran out of memory; it will be restarted in 16 s.')
      setUptime(116)
      expect(pendingRestart(host)).toBeUndefined()
      const start = performance.now()
      await llamaStarting(host)
      expect(performance.now() - start).toBeLessThan(500)
      expect(reasonOf(host)).toBe(
        'llama-server ran out of memory at 23:59:54 UTC; it is loading the model again.',
      )
    },
  )

  it('sets no reason if nothing has failed', async () => {
    const host = recordedHost()
    host.files.replace(paths.unavailableReason, 'llama-server was stopped', 0o644)
    await llamaStarting(host)
    expect(reasonOf(host)).toBeUndefined()
  })
})
