import { expect, it } from 'vitest'
import { constraintsFor, outside } from '../../../../lib/appliance/tls/name-constraints.ts'

/** A certificate, as far as it matters here: the extension among other bytes. */
const certificate = (constraints: Buffer) =>
  Buffer.concat([Buffer.from('before'), constraints, Buffer.from('behind')])

const own = [
  'copilot.example.com',
  'copilot',
  'localhost',
  'x'.repeat(200),
  'lab.example.org',
  'vm.lab.example.org',
]
const ca = certificate(constraintsFor({ dns: own, ip: ['192.0.2.7'] }))
/** As CAs were made before what stands below a name was excluded. */
const former = certificate(Buffer.from(`300fa00d300b8209${Buffer.from('localhost').toString('hex')}`, 'hex'))

it.each([
  [own, []],
  // Below one of its names stands another one, so what is below that one can't be excluded.
  [['other.lab.example.org'], []],
  ...[
    'a.copilot.example.com',
    'a.b.copilot',
    'www.localhost',
    'a.vm.lab.example.org',
    'example.com',
    'com',
    'opilot',
    'mycopilot',
    'my-copilot.example.com',
    '',
  ].map((name): [string[], string[]] => [[name], [name]]),
])('of %j leaves out %j', (dns, expected) => {
  expect(outside(ca, { dns, ip: ['8.8.8.8'] })).toEqual(expected)
})

it('permits what a CA of before permits', () => {
  expect(outside(former, { dns: ['localhost', 'a.localhost', 'copilot'], ip: [] })).toEqual(['copilot'])
})

it('permits nothing without constraints of ours', () => {
  expect(outside(Buffer.from('copilot'), { dns: ['copilot'], ip: [] })).toEqual(['copilot'])
})
