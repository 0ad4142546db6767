import { expect, it } from 'vitest'
import { paths } from '../../../lib/appliance/paths.ts'
import { chronyConfiguration } from '../../../lib/render/clock.ts'
import { hypervisorClock } from '../../../lib/steps/clock.ts'
import { recordedHost } from '../../recorded-host.ts'

const sources = (servers: string[], clock?: string) =>
  chronyConfiguration({ servers, hypervisorClock: clock }).text.match(
    /^(refclock|server|pool|peer|sourcedir|confdir).*$/gm,
  )

it('asks whom it is told to, the hypervisor, and else whom DHCP names: never a public pool', () => {
  expect(sources([])).toEqual(['sourcedir /run/chrony-dhcp'])
  expect(sources(['ntp1', '2001:db8::1'], '/dev/ptp0')).toEqual([
    'refclock PHC /dev/ptp0 poll 2',
    'server ntp1 iburst',
    'server 2001:db8::1 iburst',
  ])
})

it("finds the hypervisor's clock among the network cards'", () => {
  const host = recordedHost()
  expect(hypervisorClock(host)).toBeUndefined()
  host.files.replace(`${paths.hardwareClocks}/ptp0/clock_name`, 'virtio_net\n', 0o644)
  expect(hypervisorClock(host)).toBeUndefined()
  host.files.replace(`${paths.hardwareClocks}/ptp1/clock_name`, 'KVM virtual PTP\n', 0o644)
  expect(hypervisorClock(host)).toBe('/dev/ptp1')
})
