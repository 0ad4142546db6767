/** The edge proxy's site for tests: the tiny model's, on nginx as in Debian 12, unless stated otherwise. */
import { siteFor } from '../../lib/render/nginx/files.ts'
import { capacityFor, tinyModel } from './capacity.ts'

export const siteWith = (changes: Partial<Parameters<typeof siteFor>[0]> = {}) =>
  siteFor({
    context: { keys: [], sharedCache: false, logFormat: 'text' },
    password: { password: 'the-very-password' },
    capacity: capacityFor(tinyModel),
    models: ['tiny', 'default'],
    machine: { hasIpv6: false },
    nginxVersion: 'nginx version: nginx/1.22.1',
    ...changes,
  })
