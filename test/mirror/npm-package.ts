/** Downloads a package from npm's registry, and verifies its digest. */
import { createHash } from 'node:crypto'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { NpmPackage } from '../../lib/appliance/pins.ts'
import { runLogged } from '../../packer/build/progress.ts'

/** Unpacks some paths of a package, or all, into a temporary folder that `use` is called with. */
export async function withPackage<T>(
  { spec, integrity }: NpmPackage,
  paths: string[],
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'npm-package-'))
  try {
    await runLogged('npm-pack', ['npm', 'pack', spec, '--silent', '--pack-destination', folder])
    const [archive = ''] = globSync(join(folder, '*.tgz'))
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (found !== integrity) throw new Error(`npm pack ${spec} gave ${found}; expected ${integrity}`)
    const inPackage = paths.map(path => `package/${path}`)
    await runLogged('npm-unpack', ['tar', '-xzf', archive, '-C', folder, ...inPackage])
    return await use(join(folder, 'package'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
