import { expect, it } from 'vitest'
import { saltOf, tenantMap } from '../../../../lib/render/nginx/tenants.ts'

const alice = { name: 'alice', key: 'alice-has-this-key' }
const bob = { name: 'bob', key: 'bob-has-another-key' }

it('derives a distinct, constant salt of fixed length from each key', () => {
  const salts = Array.from({ length: 1000 }, (_, index) => saltOf(`key-${index}`))
  expect(new Set(salts).size).toBe(1000)
  expect(salts.filter(salt => !/^[A-Za-z]{12}$/.test(salt))).toEqual([])
  expect(saltOf(alice.key)).toBe(saltOf(alice.key))
})

it.each([
  { cacheSharing: 'separate' as const, names: ['alice', 'bob'] },
  { cacheSharing: 'shared' as const, names: [] },
  { cacheSharing: 'one-key' as const, names: [] },
])('$cacheSharing: a salt for $names', ({ cacheSharing, names }) => {
  const map = tenantMap({ keys: [alice, bob], cacheSharing })
  const lines = [...map.matchAll(/^ {4}"~\^(\w+)\\z" (\w{12});$/gm)]
  expect(lines.map(([, name]) => name)).toEqual(names)
  for (const { key } of [alice, bob]) expect(map).not.toContain(key)
})
