import { expect, it } from 'vitest'
import { paths } from '../../../../lib/appliance/paths.ts'
import { chronyConfiguration } from '../../../../lib/render/units/clock.ts'
import { timeSources } from '../../../../lib/steps/tls/clock.ts'
import { recordedHost } from '../../../support/recorded-host.ts'

const sources = (servers: string[], byDhcp: string[] = [], hypervisorClock?: string) =>
  chronyConfiguration({ servers, byDhcp, hypervisorClock }).text.match(
    /^(refclock|server|pool|peer|sourcedir|confdir).*$/gm,
  )

it("uses the hypervisor's clock and the context's servers, else DHCP's, never a public pool", () => {
  expect(sources([])).toEqual(['sourcedir /run/chrony-dhcp'])
  expect(sources([], ['192.0.2.1'])).toEqual(['server 192.0.2.1 iburst', 'sourcedir /run/chrony-dhcp'])
  expect(sources(['ntp1', '2001:db8::1'], ['192.0.2.1'], '/dev/ptp0')).toEqual([
    'refclock PHC /dev/ptp0 poll 2',
    'server ntp1 iburst',
    'server 2001:db8::1 iburst',
  ])
})

it("finds the hypervisor's clock among other clocks, and drops invalid servers from DHCP", () => {
  const host = recordedHost()
  expect(timeSources(host, [])).toEqual({ servers: [], byDhcp: [], hypervisorClock: undefined })
  host.files.replace(`${paths.hardwareClocks}/ptp0/clock_name`, 'virtio_net\n', 0o644)
  host.files.replace(`${paths.hardwareClocks}/ptp1/clock_name`, 'KVM virtual PTP\n', 0o644)
  host.files.replace(paths.networkdState, 'DNS=192.0.2.1\nNTP=192.0.2.2 ntp.lan ;x\n', 0o644)
  expect(timeSources(host, ['ntp1'])).toEqual({
    servers: ['ntp1'],
    byDhcp: ['192.0.2.2', 'ntp.lan'],
    hypervisorClock: '/dev/ptp1',
  })
})
