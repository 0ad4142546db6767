import { expect, it } from 'vitest'
import { floatingConfiguration, groupNumber } from '../../../../lib/render/fleet/floating-ip.ts'

it.each([
  ['192.0.2.10', 10],
  ['10.0.1.255', 255],
  ['10.0.2.0', 255],
  ['2001:db8::7', 7],
  ['2001:db8::1ff', 255],
  ['2001:db8::100', 255],
  ['2001:db8::', 255],
])('routers that share %s are group %i', (address, number) => {
  expect(groupNumber(address)).toBe(number)
})

it('takes addresses of both families, each at its interface', () => {
  const text = (...addresses: string[]) => {
    const file = floatingConfiguration(
      addresses.map((address, index) => ({ address, device: `eth${index}` })),
    )
    return 'text' in file ? file.text : file
  }
  expect(text()).toMatchObject({ absent: true })
  expect(text('192.0.2.10')).toMatch(
    /interface eth0\n[\s\S]*virtual_ipaddress \{\n +192\.0\.2\.10 dev eth0\n/,
  )
  expect(text('192.0.2.10')).not.toContain('virtual_ipaddress_excluded')
  expect(text('192.0.2.10', '2001:db8::a')).toMatch(/_excluded \{\n +2001:db8::a dev eth1\n/)
})
