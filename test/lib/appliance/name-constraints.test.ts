import { expect, it } from 'vitest'
import { constraintsFor, outside } from '../../../lib/appliance/name-constraints.ts'

/** A certificate, as far as it matters here: the extension among other bytes. */
const certificate = (dns: string[]) =>
  Buffer.concat([Buffer.from('before'), constraintsFor({ dns, ip: ['192.0.2.7'] }), Buffer.from('behind')])

const ca = certificate(['copilot.example.com', 'copilot', 'localhost', 'x'.repeat(200)])

it.each([
  [['copilot', 'localhost', 'copilot.example.com'], []],
  [['a.copilot.example.com', 'a.b.copilot', 'x'.repeat(200)], []],
  [
    ['example.com', 'com', 'opilot'],
    ['example.com', 'com', 'opilot'],
  ],
  [
    ['mycopilot', 'my-copilot.example.com', ''],
    ['mycopilot', 'my-copilot.example.com', ''],
  ],
])('of %j leaves out %j', (dns, expected) => {
  expect(outside(ca, { dns, ip: ['8.8.8.8'] })).toEqual(expected)
})

it('permits nothing without constraints of ours', () => {
  expect(outside(Buffer.from('copilot'), { dns: ['copilot'], ip: [] })).toEqual(['copilot'])
})
