import { expect, it } from 'vitest'
import { services } from '../../../lib/appliance/services.ts'
import { decideAction } from '../../../lib/steps/services.ts'
import { parseUnitStatus, type UnitStatus } from '../../../lib/system/systemd.ts'

const at = (seconds: number) => new Date(seconds * 1000)
const running: UnitStatus = {
  isActive: true,
  isEnabled: true,
  invocation: 'a1',
  mainPid: 7,
  startedAt: at(100),
  needsReload: false,
}
const { llama, nginx } = services
const proven = (digest: string, invocation = 'a1') => ({
  [llama.unit]: { invocation, digest },
  [nginx.unit]: { invocation, digest },
})

it.each([
  ['a run proven on these inputs', running, { digest: 'd', changedAt: at(500) }, proven('d'), 'leave alone'],
  ['a run proven on other inputs', running, { digest: 'e', changedAt: at(50) }, proven('d'), 'restart'],
  [
    'a run that is not known, older than its inputs',
    running,
    { digest: 'd', changedAt: at(101) },
    {},
    'restart',
  ],
  [
    'a run that is not known, younger than its inputs',
    running,
    { digest: 'd', changedAt: at(99) },
    {},
    'leave alone',
  ],
  ['a run in the second of the change', running, { digest: 'd', changedAt: at(100.4) }, {}, 'restart'],
  [
    'a run that systemd began after a crash',
    running,
    { digest: 'd', changedAt: at(50) },
    proven('d', 'a0'),
    'leave alone',
  ],
  [
    'one that does not run',
    { ...running, isActive: false },
    { digest: 'd', changedAt: at(50) },
    proven('d'),
    'start',
  ],
] as const)('%s', (_, status, inputs, known, action) => {
  expect(decideAction(llama, status, inputs, known)).toBe(action)
  expect(decideAction(nginx, status, inputs, known)).toBe(action === 'restart' ? 'reload' : action)
})

it("reads systemctl's answer", () => {
  const text = `ActiveState=active
UnitFileState=enabled
InvocationID=0f5b
MainPID=7
ActiveEnterTimestamp=@1771063200
NeedDaemonReload=no
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
    isEnabled: false,
    invocation: '',
    mainPid: 0,
    startedAt: undefined,
    needsReload: false,
  })
})
