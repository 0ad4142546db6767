import { expect, it } from 'vitest'
import {
  addressBytes,
  constraintsFor,
  holds,
  outside,
  range,
} from '../../../lib/appliance/name-constraints.ts'

it.each([
  ['192.0.2.7', 'c0000207'],
  ['::', '0'.repeat(32)],
  ['::1', `${'0'.repeat(31)}1`],
  ['2001:db8::7', '20010db8000000000000000000000007'],
  ['2001:DB8:1:2:3:4:5:6', '20010db8000100020003000400050006'],
  ['fe80::', `fe80${'0'.repeat(28)}`],
])('%s in bytes', (address, hex) => {
  expect(Buffer.from(addressBytes(address)).toString('hex')).toBe(hex)
})

it.each([
  ['10.0.0.0/8', '10.255.1.2', true],
  ['10.0.0.0/8', '11.0.0.1', false],
  ['172.16.0.0/12', '172.31.255.255', true],
  ['172.16.0.0/12', '172.32.0.0', false],
  ['100.64.0.0/10', '100.127.0.1', true],
  ['100.64.0.0/10', '100.128.0.1', false],
  ['192.0.2.7', '192.0.2.7', true],
  ['192.0.2.7', '192.0.2.6', false],
  ['fc00::/7', 'fdff::1', true],
  ['fc00::/7', 'fe00::1', false],
  ['::1/128', '::2', false],
  ['10.0.0.0/8', '::a00:1', false],
])('%s holds %s: %s', (text, address, expected) => {
  expect(holds(range(text), address)).toBe(expected)
})

/** A certificate, as far as it matters here: the extension among other bytes. */
const certificate = (dns: string[], ip: string[]) =>
  Buffer.concat([Buffer.from('before'), constraintsFor({ dns, ip }), Buffer.from('behind')])

const ca = certificate(
  ['copilot.example.com', 'copilot', 'localhost', 'x'.repeat(200)],
  ['10.0.0.7', '192.0.2.7', '2001:db8::7', '127.0.0.1', '::1'],
)

it.each([
  [['copilot', 'localhost', 'copilot.example.com'], ['192.0.2.7', '2001:db8::7'], []],
  [['a.copilot.example.com', 'a.b.copilot'], ['10.1.1.1', '192.168.7.7', 'fd00::1', '127.0.0.1', '::1'], []],
  [['example.com', 'com', 'opilot'], [], ['example.com', 'com', 'opilot']],
  [['mycopilot', 'my-copilot.example.com', ''], [], ['mycopilot', 'my-copilot.example.com', '']],
  [[], ['192.0.2.8', '8.8.8.8', '2001:db8::8'], ['192.0.2.8', '8.8.8.8', '2001:db8::8']],
])('of %j and %j leaves out %j', (dns, ip, expected) => {
  expect(outside(ca, { dns, ip })).toEqual(expected)
})

it('permits nothing without constraints of ours', () => {
  const names = { dns: ['copilot'], ip: ['10.0.0.7'] }
  expect(outside(Buffer.from('copilot'), names)).toEqual(['copilot', '10.0.0.7'])
})
