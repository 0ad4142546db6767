import { expect, it } from 'vitest'
import { units } from '../../../../lib/appliance/paths.ts'
import { applyFloatingIp, placeFloating } from '../../../../lib/steps/services/floating-ip.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const eth0 = { device: 'eth0', cidr: '192.0.2.7/24' }

it('places each address at the interface in whose network it is, and says which is in none', () => {
  const { addresses, notes } = placeFloating(['192.0.2.100', '2001:db8::a'], [eth0])
  expect(addresses).toEqual([{ address: '192.0.2.100', device: 'eth0' }])
  expect(notes).toEqual([
    "The floating address 2001:db8::a is in none of this router's networks (eth0 192.0.2.7/24), so this router never has it.",
  ])
})

it('the address itself, while it is here, is no network', () => {
  const here = { device: 'eth0', cidr: '192.0.2.100/24' }
  expect(placeFloating(['192.0.2.100'], [here, eth0]).addresses).toHaveLength(1)
  expect(placeFloating(['192.0.2.100'], [here]).notes).toEqual([expect.stringMatching(/\(it has none\)/)])
})

it.each([
  ['active', [`systemctl disable --now --quiet ${units.floatingIp}`]],
  ['inactive', []],
])('without a configuration, keepalived that is %s: %j', async (state, commands) => {
  const host = recordedHost({}, line =>
    line.includes('show') ? { stdout: `ActiveState=${state}\n` } : undefined,
  )
  expect(await applyFloatingIp(host)).toEqual([])
  expect(host.commands.filter(line => !line.includes(' show '))).toEqual(commands)
})
