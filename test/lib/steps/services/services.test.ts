import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { correctDates, decideAction, readInputs } from '../../../../lib/steps/services/services.ts'
import { parseUnitStatus, reloadUnits, type UnitStatus } from '../../../../lib/system/systemd.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const at = (seconds: number) => new Date(seconds * 1000)
const running: UnitStatus = {
  isActive: true,
  isRunning: true,
  isEnabled: true,
  invocation: 'a1',
  mainPid: 7,
  startedAt: at(100),
}
const unit = 'nginx.service'
const proven = (restart: string, reload: string, invocation = 'a1') => ({
  [unit]: { invocation, restart, reload },
})
const old = { digest: 'd', changedAt: at(50) }
const later = { digest: 'e', changedAt: at(150) }

it.each([
  ['a run proven with these inputs', running, { restart: old, reload: old }, proven('d', 'd'), 'leave alone'],
  [
    'a run proven with these inputs, rewritten since',
    running,
    { restart: { ...old, changedAt: at(500) }, reload: old },
    proven('d', 'd'),
    'leave alone',
  ],
  ['a run proven with other inputs', running, { restart: old, reload: later }, proven('d', 'd'), 'reload'],
  ['a run proven with another unit', running, { restart: later, reload: later }, proven('d', 'd'), 'restart'],
  ['an unknown run, older than its inputs', running, { restart: old, reload: later }, {}, 'reload'],
  ['an unknown run, older than its unit', running, { restart: later, reload: old }, {}, 'restart'],
  ['an unknown run, newer than all inputs', running, { restart: old, reload: old }, {}, 'leave alone'],
  [
    'an unknown run, started in the second of the change',
    running,
    { restart: { ...old, changedAt: at(100.4) }, reload: old },
    {},
    'restart',
  ],
  [
    'a run that systemd started after a crash',
    running,
    { restart: old, reload: old },
    proven('d', 'd', 'a0'),
    'leave alone',
  ],
  [
    'an unknown run, started in the future',
    { ...running, startedAt: at(5000) },
    { restart: old, reload: old },
    {},
    'restart',
  ],
  [
    'an inactive unit',
    { ...running, isActive: false },
    { restart: old, reload: old },
    proven('d', 'd'),
    'start',
  ],
] as const)('%s', (_, status, inputs, known, action) => {
  expect(decideAction(unit, status, inputs, known, at(1000))).toBe(action)
})

it('inputs that are dated later than now are dated from now', async () => {
  let now = new Date()
  const host = recordedHost({ now: () => now })
  host.files.replace('/unit', 'text', 0o640)
  host.files.replaceLink('/current', '/b1')
  const service = { unit, restartInputs: ['/unit'], reloadInputs: ['/current'] }
  const before = readInputs(host, service)
  const digests = { restart: { digest: before.restart.digest }, reload: { digest: before.reload.digest } }

  now = new Date(Date.now() + 3_600_000)
  correctDates(host, service)
  expect(readInputs(host, service)).toEqual(before)

  now = new Date(Date.now() - 3_600_000)
  await setTimeout(20)
  correctDates(host, service)
  const after = readInputs(host, service)
  expect(after).toMatchObject(digests)
  expect(after.restart.changedAt > before.restart.changedAt).toBe(true)
  expect(after.reload.changedAt > before.reload.changedAt).toBe(true)
  expect(host.files.status('/unit')?.mode).toBe(0o640)
})

it('parses the output of systemctl show', () => {
  const text = `ActiveState=active
UnitFileState=enabled
InvocationID=0f5b
MainPID=7
ActiveEnterTimestamp=@1771063200
`
  expect(parseUnitStatus(text)).toEqual({
    ...running,
    invocation: '0f5b',
    startedAt: new Date('2026-02-14T10:00:00Z'),
  })
  expect(
    parseUnitStatus('ActiveState=inactive\nUnitFileState=\nInvocationID=\nActiveEnterTimestamp=\n'),
  ).toEqual({
    isActive: false,
    isRunning: false,
    isEnabled: false,
    invocation: '',
    mainPid: 0,
    startedAt: undefined,
  })
})

it.each([
  ['one has changed', 'no\n\nyes\n', true],
  ['none has changed', 'no\n\nno\n', false],
])('reloads units as required, with one query for all: %s', async (_, stdout, isReloaded) => {
  const host = recordedHost({}, command => (command.includes(' show ') ? { stdout } : undefined))
  await reloadUnits(host, ['a.service', 'b.service'])
  const asked = 'systemctl show --property=NeedDaemonReload --value a.service b.service'
  expect(host.commands).toEqual([asked, ...(isReloaded ? ['systemctl daemon-reload'] : [])])
})
