import { expect, it } from 'vitest'
import { backOff } from '../../../../lib/appliance/back-off.ts'
import { cacheSharingOf } from '../../../../lib/appliance/nginx/cache-sharing.ts'
import { answerTimeout } from '../../../../lib/appliance/nginx/limits.ts'

it.each([
  [512, 3600],
  [3600, 3600],
  [3601, 3601],
  [131_072, 131_072],
])('lets an answer with a context of %d tokens take %d s', (contextSize, seconds) => {
  expect(answerTimeout(contextSize)).toBe(seconds)
})

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
