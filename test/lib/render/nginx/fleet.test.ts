/** By what a copilot recognises its router, and what it takes from it. */
import { expect, it } from 'vitest'
import { fleetMaps } from '../../../../lib/render/nginx/fleet.ts'
import { exactly } from '../../../../lib/render/nginx/syntax.ts'
import { saltOf } from '../../../../lib/render/nginx/tenants.ts'
import { plainContext, siteWith } from '../../../support/site.ts'

const fleetKey = 'key-of-the-fleet-1'
const mapsOf = (changes: Partial<typeof plainContext>) =>
  fleetMaps(siteWith({ context: { ...plainContext, ...changes } }))

it.each<[string, Partial<typeof plainContext>, { accepts: boolean; separates: boolean }]>([
  ['a copilot', { fleetKey }, { accepts: true, separates: true }],
  ['a copilot without the fleet’s key', {}, { accepts: false, separates: false }],
  ['one whose keys share a cache', { fleetKey, sharedCache: true }, { accepts: true, separates: false }],
  ['a router', { fleetKey, role: 'router' }, { accepts: false, separates: false }],
])('%s', (_, changes, { accepts, separates }) => {
  const maps = mapsOf(changes)
  expect(maps.includes(exactly(fleetKey))).toBe(accepts)
  expect(maps.includes('$copilot_stated_salt;')).toBe(separates)
  expect(maps.includes(saltOf(fleetKey))).toBe(separates)
})

it.each<[string, Partial<typeof plainContext>, string | undefined]>([
  ['a copilot', { fleetKey }, 'none'],
  ['a copilot without the fleet’s key', {}, undefined],
  ['a router', { fleetKey, role: 'router' }, undefined],
])('%s with %o tells a router its services: %s', (_, changes, services) => {
  expect(/"router:\/props" "(.*)";/.exec(mapsOf(changes))?.[1]).toBe(services)
})
