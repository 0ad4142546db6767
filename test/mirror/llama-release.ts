/** A llama.cpp release archive in the official layout: libraries from npm, and llama-server compiled from source. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cached, cacheFolder, keyOf } from '../../packer/build/cache.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { checkOutLlama, llamaTag, packages, unpackLibraries } from './llama-source.ts'

/** The name of the official archive. */
export const archiveName = `llama-${llamaTag}-bin-ubuntu-x64.tar.gz`

const cmakeFlags = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  // Like the libraries from npm and the official releases: one library per CPU generation, chosen at run time.
  '-DGGML_NATIVE=OFF',
  '-DGGML_BACKEND_DL=ON',
  '-DGGML_CPU_ALL_VARIANTS=ON',
  // The libraries contain the HTTP server; no TLS is needed on a unix socket.
  '-DLLAMA_OPENSSL=OFF',
]

/** The objects that are in none of the libraries: the server itself, and what only it uses. */
const ownObjects = /^(tools|vendor\/hash)\/.*\.o$/

/**
 * Returns the archive's path; it contains one folder, `llama-<tag>/`. Compiling takes two minutes on two cores. An
 * interrupted build is resumed: its folder stays in the cache until the archive is complete.
 */
export async function llamaRelease(): Promise<string> {
  const inputs = [...packages, ...cmakeFlags]
  const work = join(cacheFolder, `llama-build-${keyOf(inputs)}`)
  const archive = await cached('llama-release.tgz', inputs, async path => {
    const source = join(work, 'src')
    const build = join(work, 'build')
    const name = `llama-${llamaTag}`
    const release = join(work, 'pack', name)
    rmSync(release, { recursive: true, force: true })
    mkdirSync(release, { recursive: true })
    await step(`llama.cpp's libraries from npm`, () => unpackLibraries(release))
    await step(`llama-server ${llamaTag} from source`, () => compile(source, build, release))
    cpSync(join(source, 'LICENSE'), join(release, 'LICENSE'))
    await step(`its archive, as ${archiveName}`, () => pack(release, path))
  })
  rmSync(work, { recursive: true, force: true })
  return archive
}

/** Compiles the server's own objects, and links them to the libraries in the release's folder. */
async function compile(source: string, build: string, release: string): Promise<void> {
  if (!existsSync(source)) await checkOutLlama(source)
  // CMake writes this file last; from then on Ninja calls CMake when needed.
  if (!existsSync(join(build, 'build.ninja')))
    await runLogged('llama-cmake', ['cmake', '-G', 'Ninja', '-S', source, '-B', build, ...cmakeFlags])
  const inputs = execFileSync('ninja', ['-C', build, '-t', 'inputs', 'llama-server'], { encoding: 'utf8' })
  const objects = inputs.split('\n').filter(path => ownObjects.test(path))
  await runLogged('llama-ninja', ['ninja', '-C', build, ...objects], { show: /^\[\d+\/\d+\]/ })

  // The libraries are found beside the executable, wherever the archive is unpacked.
  const output = ['-o', join(release, 'llama-server'), '-s', '-pthread', '-Wl,-rpath,$ORIGIN']
  const libraries = [
    'libllama-common.so',
    `libllama.${llamaTag}.so`,
    `libggml.${llamaTag}.so`,
    'libggml-base.so',
  ]
  const linked = libraries.map(name => join(release, name))
  await runLogged('llama-link', ['g++', ...objects, ...output, ...linked], { cwd: build })
}

async function pack(release: string, archive: string): Promise<void> {
  // The same inputs give an archive with the same order, owners and times.
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0']
  const inFolder = ['-C', dirname(release), basename(release)]
  await runLogged('llama-pack', ['tar', ...same, '-czf', archive, ...inFolder])
}

/** Returns the folder of the shared unpacked release, which is read-only by convention. */
export async function unpackedRelease(): Promise<string> {
  const archive = await llamaRelease()
  return cached('llama-unpacked', [archive], async folder => {
    mkdirSync(folder)
    await runLogged('llama-unpack', ['tar', '-xzf', archive, '-C', folder, '--strip-components=1'])
  })
}
