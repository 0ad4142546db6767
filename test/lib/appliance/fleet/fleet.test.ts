/** What a router knows of its copilots. */
import { expect, it } from 'vitest'
import { isAddress, partlyKnownText, slotsOf } from '../../../../lib/appliance/fleet/fleet.ts'

it.each([
  ['192.0.2.7', true],
  ['2001:db8::7', true],
  ['copilot.example.com', false],
  ['7.example.com', false],
  ['copilot-7', false],
])('%s is an address: %s', (host, is) => {
  expect(isAddress(host)).toBe(is)
})

it('has the slots of all copilots', () => {
  expect(slotsOf([{ slots: 2 }, { slots: 3 }])).toBe(5)
  expect(slotsOf([])).toBe(0)
})

it('says why the fleet is not fully known, and what it does', () => {
  expect(partlyKnownText('OneGate did not answer')).toBe(
    'The fleet is not fully known: OneGate did not answer. Copilots that could not be asked are kept as they were ' +
      'last known.',
  )
})
