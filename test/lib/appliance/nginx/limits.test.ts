import { expect, it } from 'vitest'
import { backOff } from '../../../../lib/appliance/back-off.ts'
import { cacheSharingOf } from '../../../../lib/appliance/nginx/cache-sharing.ts'
import { answerTimeout, requestsOfKey } from '../../../../lib/appliance/nginx/limits.ts'

it.each([
  [512, 3600],
  [3600, 3600],
  [3601, 3601],
  [131_072, 131_072],
])('lets an answer with a context of %d tokens take %d s', (contextSize, seconds) => {
  expect(answerTimeout(contextSize)).toBe(seconds)
})

it.each([
  ['copilot', 2, 4e9, 16],
  ['copilot', 64, 400e9, 72],
  ['router', 65, 0.9e9, 128],
  ['router', 65, 4e9, 765],
] as const)(
  'a %s of %d slots and %d bytes admits %d requests of one key to a worker',
  (role, slots, memory, most) => {
    expect(requestsOfKey({ role, slots, memory })).toBe(most)
  },
)

const key = { name: 'alice', key: 'alices-key-0123' }

it.each([
  [[], false, undefined, 'one-key'],
  [[], true, undefined, 'one-key'],
  [[key], false, undefined, 'separate'],
  [[key], true, undefined, 'shared'],
  // Behind a router are tenants of their own.
  [[], false, 'the-fleets-key', 'separate'],
])('keys %j, sharing %s, fleet key %s: %s', (keys, sharedCache, fleetKey, sharing) => {
  expect(cacheSharingOf({ keys, sharedCache, fleetKey })).toBe(sharing)
})

it.each([
  [1, 15],
  [2, 30],
  [4, 120],
  [5, 200],
  [2000, 200],
])('after %d failures the pause is %d', (failures, pause) => {
  expect(backOff(failures, 15, 200)).toBe(pause)
})
