import { expect, it } from 'vitest'
import { editDistance, nearestName } from '../../../../lib/appliance/context/spelling.ts'

it.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['same', 'same', 0],
  ['kitten', 'sitting', 3],
  ['flaw', 'lawn', 2],
  ['ab', 'ba', 2],
])('%j and %j differ in %d letters', (a, b, distance) => {
  expect([editDistance(a, b), editDistance(b, a)]).toEqual([distance, distance])
})

const commands = ['status', 'plan', 'models', 'model-check', 'doctor']

it.each([
  ['stat', 'status'],
  ['staus', 'status'],
  ['doctro', 'doctor'],
  ['plans', 'plan'],
  // The only one that begins so, although another is nearer.
  ['model-', 'model-check'],
  // Two begin so: the nearer.
  ['model', 'models'],
  // One letter of a short name may differ, and a third of a long one.
  ['pla', 'plan'],
  ['sttttus', 'status'],
  ['doxxor', 'doctor'],
  ['doxxxr', undefined],
  // A single letter is no beginning.
  ['p', undefined],
  ['', undefined],
  ['configure', undefined],
])('%j means %s', (typed, name) => {
  expect(nearestName(typed, commands)).toBe(name)
})

it('suggests nothing where nothing is known', () => {
  expect(nearestName('plan', [])).toBeUndefined()
})
