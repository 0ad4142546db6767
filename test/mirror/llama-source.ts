/** llama.cpp from node-llama-cpp's npm packages, verified by digest: its source (a git bundle) and its libraries. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { packagedLlama } from '../../lib/appliance/pins.ts'
import { cached } from '../../packer/build/cache.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { withPackage } from './npm-package.ts'

/** The llama.cpp release that they contain. */
export const llamaTag = packagedLlama.tag

const { source, libraries } = packagedLlama
/** Inputs of the cache key of whatever is built from them. */
export const packages = [source, libraries].map(({ spec, integrity }) => `${spec} ${integrity}`)

/** Returns the path of the git bundle: 35 MB, one squashed commit. */
const llamaBundle = () =>
  cached('llama-source.bundle', [source.spec, source.integrity], path =>
    step(`llama.cpp ${llamaTag} from npm's ${source.spec}`, () =>
      withPackage(source, ['llama/gitRelease.bundle'], folder =>
        runLogged('bundle-move', ['mv', join(folder, 'llama/gitRelease.bundle'), path]),
      ),
    ),
  )

/** Copies the prebuilt libraries into a folder. */
export const unpackLibraries = (folder: string): Promise<void> =>
  withPackage(libraries, ['bins/linux-x64'], async unpacked => {
    for (const library of globSync(join(unpacked, 'bins/linux-x64/lib*.so')))
      copyFileSync(library, join(folder, basename(library)))
  })

/** Checks the bundle out to a folder, atomically. */
export async function checkOutLlama(folder: string): Promise<void> {
  const partial = `${folder}.partial`
  rmSync(partial, { recursive: true, force: true })
  await runLogged('llama-clone', ['git', 'clone', '--quiet', await llamaBundle(), partial])
  renameSync(partial, folder)
}

/** Reads one file of the source, by its path in the repository. */
export async function llamaFile(path: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'llama-file-'))
  try {
    await runLogged('llama-file', ['git', 'clone', '--quiet', '--bare', await llamaBundle(), folder])
    return execFileSync('git', ['-C', folder, 'show', `HEAD:${path}`], { maxBuffer: 2 ** 28 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
