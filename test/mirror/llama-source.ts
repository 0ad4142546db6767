/** llama.cpp's source as npm carries it: the git bundle in node-llama-cpp, proven by the package's digest. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cached } from '../../packer/cache.ts'
import { runLogged, step } from '../../packer/progress.ts'

export const npmPackage = 'node-llama-cpp@3.22.1'
/** The llama.cpp release in that package: `llama/llama.cpp.info.json`. */
export const llamaTag = 'v0.5.0'

// `npm view node-llama-cpp@3.22.1 dist.integrity`
const integrity =
  'sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw=='

/** The bundle's path: 35 MB, one squashed commit. */
export const llamaBundle = () =>
  cached('llama-source.bundle', [npmPackage, integrity], path =>
    step(`llama.cpp ${llamaTag} from npm's ${npmPackage}`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'llama-source-'))
      try {
        await runLogged('npm-pack', ['npm', 'pack', npmPackage, '--silent', '--pack-destination', folder])
        const archive = join(folder, `${npmPackage.replace('@', '-')}.tgz`)
        verify(archive)
        await runLogged('npm-unpack', [
          'tar',
          '-xzf',
          archive,
          '-C',
          folder,
          'package/llama/gitRelease.bundle',
        ])
        await runLogged('bundle-move', ['mv', join(folder, 'package/llama/gitRelease.bundle'), path])
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }),
  )

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

function verify(archive: string): void {
  const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (found !== integrity) throw new Error(`npm pack ${npmPackage} gave ${found}; expected ${integrity}`)
}
