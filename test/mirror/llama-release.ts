/** A release archive of llama.cpp, built from npm's copy of its source, laid out as the official ones are. */
import { cpSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cached, cacheFolder, keyOf } from '../../packer/cache.ts'
import { runLogged, step } from '../../packer/progress.ts'
import { checkOutLlama, llamaTag, npmPackage } from './llama-source.ts'

/** What the archive is called where it is published. */
export const archiveName = `llama-${llamaTag}-bin-ubuntu-x64.tar.gz`

const cmakeFlags = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  // As the official releases do: one library per CPU generation, chosen at run time.
  '-DGGML_NATIVE=OFF',
  '-DGGML_BACKEND_DL=ON',
  '-DGGML_CPU_ALL_VARIANTS=ON',
  // The libraries are found beside the executable, wherever the archive is unpacked.
  '-DCMAKE_INSTALL_RPATH=$ORIGIN',
  '-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON',
]

/**
 * The archive's path; its one folder is `llama-<tag>/`. Building takes 8 to 11 minutes on two cores. A build
 * that was interrupted goes on where it stopped: its folder stands in the cache until the archive does.
 * Not for two callers at once on an empty cache: both would build in that folder.
 */
export async function llamaRelease(): Promise<string> {
  const inputs = [npmPackage, ...cmakeFlags]
  const work = join(cacheFolder, `llama-build-${keyOf(inputs)}`)
  const archive = await cached('llama-release.tgz', inputs, async path => {
    const source = join(work, 'src')
    const build = join(work, 'build')
    mkdirSync(work, { recursive: true })
    await step(`llama-server ${llamaTag} from source`, () => compile(source, build))
    await step(`its archive, as ${archiveName}`, () => pack(source, build, join(work, 'pack'), path))
  })
  rmSync(work, { recursive: true, force: true })
  return archive
}

async function compile(source: string, build: string): Promise<void> {
  if (!existsSync(source)) await checkOutLlama(source)
  // Written last by CMake; from then on Ninja itself calls CMake when there is cause to.
  if (!existsSync(join(build, 'build.ninja')))
    await runLogged('llama-cmake', ['cmake', '-G', 'Ninja', '-S', source, '-B', build, ...cmakeFlags])
  await runLogged('llama-ninja', ['ninja', '-C', build, 'llama-server'], { show: /^\[\d+\/\d+\]/ })
}

async function pack(source: string, build: string, folder: string, archive: string): Promise<void> {
  const name = `llama-${llamaTag}`
  const release = join(folder, name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(release, { recursive: true })

  const binaries = readdirSync(join(build, 'bin')).filter(
    file => file === 'llama-server' || /^lib.+\.so/.test(file),
  )
  for (const file of binaries)
    cpSync(join(build, 'bin', file), join(release, file), { verbatimSymlinks: true })
  cpSync(join(source, 'LICENSE'), join(release, 'LICENSE'))

  const files = binaries.map(file => join(release, file)).filter(file => lstatSync(file).isFile())
  await runLogged('llama-strip', ['strip', '--strip-unneeded', ...files])
  // Same inputs, same names, owners and times.
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0']
  await runLogged('llama-pack', ['tar', ...same, '-C', folder, '-czf', archive, name])
}
