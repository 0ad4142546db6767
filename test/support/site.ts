/** The edge proxy's site for tests: the tiny model's, on nginx as in Debian 12, unless stated otherwise. */
import { GiB } from '../../lib/appliance/sizing/memory.ts'
import { siteFor } from '../../lib/render/nginx/site.ts'
import { capacityFor, tinyModel } from './capacity.ts'

type SiteContext = Parameters<typeof siteFor>[0]['context']

/** What an empty context says about the site. */
export const plainContext: SiteContext = {
  role: 'copilot',
  keys: [],
  sharedCache: false,
  logFormat: 'text',
  metricsKey: undefined,
  fleetKey: undefined,
}

export const siteWith = (changes: Partial<Parameters<typeof siteFor>[0]> = {}) =>
  siteFor({
    context: plainContext,
    password: { password: 'the-very-password' },
    capacity: capacityFor(tinyModel),
    models: ['tiny', 'default'],
    companions: [],
    machine: { hasIpv6: false, memory: 4 * GiB },
    nginxVersion: 'nginx version: nginx/1.22.1',
    ...changes,
  })
