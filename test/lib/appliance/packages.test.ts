import { expect, it } from 'vitest'
import { packages } from '../../../lib/appliance/packages.ts'

it('names Debian packages as Debian policy 5.6.1 does, in order, each once', () => {
  for (const name of packages) expect(name).toMatch(/^[a-z0-9][a-z0-9+.-]+$/)
  expect(packages).toEqual([...new Set(packages)].sort())
  // Whatever else changes, the edge proxy needs these.
  expect(packages).toEqual(expect.arrayContaining(['nginx', 'libnginx-mod-http-js']))
})
