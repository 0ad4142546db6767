import { expect, it } from 'vitest'
import { outboundUnits, paths } from '../../../../lib/appliance/paths.ts'
import { securityUpdateFiles } from '../../../../lib/render/units/security-updates.ts'
import { applySecurityUpdates } from '../../../../lib/steps/services/security-updates.ts'
import { applyFiles } from '../../../../lib/system/managed-files.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const shown = (load: string, active: string) =>
  outboundUnits.updates.map(() => `${load}\n${active}\n`).join('\n')
const reload = 'systemctl daemon-reload'
const names = outboundUnits.updates.join(' ')

it.each([
  ['off, as it was', false, shown('masked', 'inactive'), []],
  ['off, and was on', false, shown('loaded', 'active'), [`systemctl stop ${names}`, reload]],
  ['off, and masked only on disk', false, shown('loaded', 'inactive'), [reload]],
  ['on, as it was', true, shown('loaded', 'active'), []],
  ['on, and was off', true, shown('masked', 'inactive'), [reload, `systemctl start ${names}`]],
  ['on, and stopped by hand', true, shown('loaded', 'inactive'), [`systemctl start ${names}`]],
])('%s', async (_, areWanted, stdout, commands) => {
  const host = recordedHost({}, command => (command.includes(' show ') ? { stdout } : undefined))
  await applyFiles(host, securityUpdateFiles(areWanted))
  await applySecurityUpdates(host)
  expect(host.commands.filter(command => !command.includes(' show '))).toEqual(commands)
})

it('masks whatever would connect on its own; only apt, and only if it is wanted, is let go', async () => {
  const host = recordedHost()
  const masked = () => host.files.list(paths.unitFiles).sort()
  await applyFiles(host, securityUpdateFiles(false))
  expect(masked()).toEqual([...outboundUnits.updates, ...outboundUnits.others].sort())
  expect(host.files.read(paths.securityUpdates)).toContain('APT::Periodic::Enable "0";')
  await applyFiles(host, securityUpdateFiles(true))
  expect(masked()).toEqual([...outboundUnits.others].sort())
  expect(host.files.read(paths.securityUpdates)).toContain('APT::Periodic::Unattended-Upgrade "1";')
})
