/** A stack's folder as a Host; processes, models and llama-server's socket, which are elsewhere, are linked into it. */
import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { paths } from '../../../lib/appliance/paths.ts'
import { type Host, openHost } from '../../../lib/system/host.ts'
import { cacheFolder } from '../../../packer/build/cache.ts'
import type { Stack } from './stack.ts'

export function hostOf({ root, socket }: Stack): Host {
  const links = { '/proc': '/proc', [cacheFolder]: cacheFolder, [paths.socket]: socket }
  for (const [path, target] of Object.entries(links)) {
    if (existsSync(join(root, path))) continue
    mkdirSync(join(root, dirname(path)), { recursive: true })
    symlinkSync(target, join(root, path))
  }
  return openHost({ env: {}, root })
}
