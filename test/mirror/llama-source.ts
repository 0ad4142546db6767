/** llama.cpp from node-llama-cpp's npm packages, verified by digest: its source (a git bundle) and its libraries. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, globSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { cached } from '../../packer/build/cache.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { type NpmPackage, withPackage } from './npm-package.ts'

/** Of node-llama-cpp, whose packages of one version belong together. */
const version = '3.22.1'
/** The llama.cpp release in them: `llama/llama.cpp.info.json`. */
export const llamaTag = 'v0.5.0'

const source: NpmPackage = {
  spec: `node-llama-cpp@${version}`,
  integrity:
    'sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==',
}
/** llama.cpp's libraries, built from that very source with all variants for CPUs: `bins/linux-x64/*.so`. */
const libraries: NpmPackage = {
  spec: `@node-llama-cpp/linux-x64@${version}`,
  integrity:
    'sha512-5uCCDNqWCNfaAm8aR/Uzxbo4HBpKgNF91kCHPepKhgMgV2OAmatoefbOlMihsqCiH2Od35E/eUHQCFbfRBJuOg==',
}
/** What a build of them depends on. */
export const packages = [source, libraries].map(({ spec, integrity }) => `${spec} ${integrity}`)

/** The bundle's path: 35 MB, one squashed commit. */
const llamaBundle = () =>
  cached('llama-source.bundle', [source.spec, source.integrity], path =>
    step(`llama.cpp ${llamaTag} from npm's ${source.spec}`, () =>
      withPackage(source, ['llama/gitRelease.bundle'], folder =>
        runLogged('bundle-move', ['mv', join(folder, 'llama/gitRelease.bundle'), path]),
      ),
    ),
  )

/** Puts the ready-made libraries into a folder. */
export const unpackLibraries = (folder: string): Promise<void> =>
  withPackage(libraries, ['bins/linux-x64'], async unpacked => {
    for (const library of globSync(join(unpacked, 'bins/linux-x64/lib*.so')))
      copyFileSync(library, join(folder, basename(library)))
  })

/** Checks the bundle out to a folder: whole, or not there at all. */
export async function checkOutLlama(folder: string): Promise<void> {
  const partial = `${folder}.partial`
  rmSync(partial, { recursive: true, force: true })
  await runLogged('llama-clone', ['git', 'clone', '--quiet', await llamaBundle(), partial])
  renameSync(partial, folder)
}

/** One file of the source, its bytes; the path is the repository's. */
export async function llamaFile(path: string): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'llama-file-'))
  try {
    await runLogged('llama-file', ['git', 'clone', '--quiet', '--bare', await llamaBundle(), folder])
    return execFileSync('git', ['-C', folder, 'show', `HEAD:${path}`], { maxBuffer: 2 ** 28 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
