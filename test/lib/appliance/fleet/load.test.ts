import { expect, it } from 'vitest'
import { loadNames } from '../../../../lib/appliance/fleet/attributes.ts'
import { loadOf, type PublishedLoad, refusedForSlots } from '../../../../lib/appliance/fleet/load.ts'
import type { RequestCount } from '../../../../lib/appliance/metrics/counters.ts'

const before = (refused: number): PublishedLoad => ({
  attributes: { [loadNames.busySlots]: '0', [loadNames.busyPercent]: '0', [loadNames.refused]: '0' },
  refused,
})

it.each<[string, Parameters<typeof loadOf>, [busy: string, percent: string, refused: string]]>([
  ['idle', [{ running: 0, slots: 4, refused: 0 }, before(0)], ['0', '0', '0']],
  ['partly busy', [{ running: 1, slots: 3, refused: 0 }, before(0)], ['1', '33', '0']],
  [
    'counting tokens beside its generations',
    [{ running: 6, slots: 4, refused: 0 }, before(0)],
    ['4', '100', '0'],
  ],
  ['refusing', [{ running: 2, slots: 2, refused: 9 }, before(4)], ['2', '100', '5']],
  ['seen for the first time', [{ running: 2, slots: 2, refused: 9 }, undefined], ['2', '100', '0']],
  ['with counters that began anew', [{ running: 1, slots: 2, refused: 1 }, before(4)], ['1', '50', '0']],
])('%s', (_, [facts, previous], [busy, percent, refused]) => {
  expect(loadOf(facts, previous)).toEqual({
    attributes: {
      [loadNames.busySlots]: busy,
      [loadNames.busyPercent]: percent,
      [loadNames.refused]: refused,
    },
    refused: facts.refused,
  })
})

it('counts as refused only what found all slots busy', () => {
  const count = { tenant: 'a', path: '/', status: 429, isGeneration: true, requests: 2, seconds: 0 }
  const counts: RequestCount[] = [
    { ...count, limit: 'slots' },
    { ...count, limit: 'key' },
    { ...count, limit: '', status: 200 },
    { ...count, limit: 'slots', tenant: 'b', requests: 3 },
  ]
  expect(refusedForSlots(counts)).toBe(5)
})
