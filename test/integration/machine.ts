/** A stack's folder as a machine: what is not in it, processes, models and llama-server's socket, it has by links. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { paths } from '../../lib/appliance/paths.ts'
import { type Host, openHost } from '../../lib/system/host.ts'
import { cacheFolder } from '../../packer/build/cache.ts'
import type { Stack } from './stack.ts'

export function machineOf({ root, socket }: Stack): Host {
  const links = { '/proc': '/proc', [cacheFolder]: cacheFolder, [paths.socket]: socket }
  for (const [path, target] of Object.entries(links)) {
    if (existsSync(join(root, path))) continue
    mkdirSync(join(root, dirname(path)), { recursive: true })
    symlinkSync(target, join(root, path))
  }
  return openHost({ env: {}, root })
}
