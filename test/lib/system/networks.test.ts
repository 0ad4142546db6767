import { expect, it } from 'vitest'
import { deviceFor } from '../../../lib/system/networks.ts'

const networks = [
  { device: 'eth0', cidr: '192.0.2.7/24' },
  { device: 'eth1', cidr: '10.1.0.7/16' },
  { device: 'eth1', cidr: '2001:db8::7/64' },
  { device: 'eth2', cidr: '198.51.100.7/32' },
]

it.each([
  ['192.0.2.100', 'eth0'],
  ['10.1.255.1', 'eth1'],
  ['2001:db8::1:2:3:4', 'eth1'],
  ['2001:db8:0:1::7', undefined],
  ['10.2.0.1', undefined],
  ['198.51.100.8', undefined],
])('%s belongs to %s', (address, device) => {
  expect(deviceFor(address, networks)).toBe(device)
})
