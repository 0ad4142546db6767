/** Which lists of copilots a router is given by hand, and what is said of the others. */
import { describe, expect, it } from 'vitest'
import { backends } from '../../../../lib/appliance/fleet/backends.ts'
import { isAddress } from '../../../../lib/appliance/fleet/fleet.ts'
import { routerCapacity } from '../../../../lib/appliance/fleet/router-capacity.ts'
import { mostParallel } from '../../../../lib/appliance/sizing/limits.ts'
import { GiB } from '../../../../lib/appliance/sizing/memory.ts'
import { tinyModel } from '../../../support/capacity.ts'

const print = Array.from({ length: 32 }, () => 'AB').join(':')
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => `https://h${index}.example.com`).join(' ')

it.each([
  ['', []],
  [`https://10.0.0.5=${print}`, [{ host: '10.0.0.5', port: 443, fingerprint: print }]],
  [`https://10.0.0.5:8443=${print.toLowerCase()}`, [{ host: '10.0.0.5', port: 8443, fingerprint: print }]],
  ['https://copilot.example.com/', [{ host: 'copilot.example.com', port: 443 }]],
  [`https://[2001:db8::7]=${print}`, [{ host: '2001:db8::7', port: 443, fingerprint: print }]],
  [
    '  https://a.example.com \n\thttps://b.example.com\n',
    [
      { host: 'a.example.com', port: 443 },
      { host: 'b.example.com', port: 443 },
    ],
  ],
])('takes %j', (text, found) => {
  expect(backends.parse(text)).toEqual(found)
})

it('takes as many as are simulated', () => {
  expect(backends.parse(many(256))).toHaveLength(256)
})

const misspelt = (entry: number) => `entry ${entry}: not in the form https://ADDRESS=FINGERPRINT`
const unverifiable = (entry: number) =>
  `entry ${entry}: an address without a fingerprint (only a name may come without one)`

it.each([
  ['http://copilot.example.com', misspelt(1)],
  ['x-https://copilot.example.com', misspelt(1)],
  ['copilot.example.com', misspelt(1)],
  [`=${print}`, misspelt(1)],
  ['https://', misspelt(1)],
  [`https://10.0.0.5=AB:CD`, misspelt(1)],
  [`https://10.0.0.5=${print}:AB`, misspelt(1)],
  [`https://10.0.0.5=AB:${print}`, misspelt(1)],
  [`https://10.0.0.5=${print}=`, misspelt(1)],
  ['https://copilot.example.com/path', misspelt(1)],
  ['https://copilot.example.com//', misspelt(1)],
  ['https://copilot.example.com?', misspelt(1)],
  ['https://user@copilot.example.com', misspelt(1)],
  ['https://copilot.example.com:99999', misspelt(1)],
  ['https://a.example.com https://b.example.com/x', misspelt(2)],
  ['https://10.0.0.5', unverifiable(1)],
  ['https://a.example.com https://[2001:db8::7]:8443', unverifiable(2)],
  ['https://a.example.com https://a.example.com:443', 'the same address twice'],
  [many(257), '257 entries: at most 256 are possible'],
])('says what is wrong with %j', (text, message) => {
  const { error } = backends.safeParse(text)
  expect(error?.issues.map(issue => issue.message)).toEqual([message])
})

it.each([
  ['192.0.2.7', true],
  ['2001:db8::7', true],
  ['::1', true],
  ['copilot', false],
  ['copilot-7.example.com', false],
  ['7.example.com', false],
  ['copilot.7', false],
])('tells an address from a name: %s', (host, expected) => {
  expect(isAddress(host)).toBe(expected)
})

describe('the capacity that a router announces', () => {
  it.each([
    ['auto', 32_768],
    [8192, 8192],
    [1_000_000, tinyModel.contextLimit],
  ] as const)('has a context of the requested length, %s', (contextSize, expected) => {
    expect(routerCapacity(tinyModel, { contextSize }).contextSize).toBe(expected)
  })

  it('limits no client: it has a slot more than any copilot, and takes no memory', () => {
    const { slots, memory, memoryLimit, kvType, notes } = routerCapacity(tinyModel, { contextSize: 'auto' })
    expect(slots).toBe(mostParallel + 1)
    expect(new Set(Object.values(memory))).toEqual(new Set([0]))
    expect({ memoryLimit, kvType, notes }).toEqual({ memoryLimit: 8 * GiB, kvType: 'f16', notes: [] })
  })
})
