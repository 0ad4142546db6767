/** A llama.cpp release archive with the official layout: npm's libraries, and the server built from source. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { cached, cacheFolder, keyOf } from '../../packer/build/cache.ts'
import { runLogged, step } from '../../packer/build/progress.ts'
import { checkOutLlama, llamaTag, packages, unpackLibraries } from './llama-source.ts'

/** What the archive is called where it is published. */
export const archiveName = `llama-${llamaTag}-bin-ubuntu-x64.tar.gz`

const cmakeFlags = [
  '-DCMAKE_BUILD_TYPE=Release',
  '-DLLAMA_CURL=OFF',
  '-DLLAMA_BUILD_TESTS=OFF',
  '-DLLAMA_BUILD_EXAMPLES=OFF',
  // As the ready-made libraries were built, and the official releases are: one library per CPU generation, chosen at
  // run time.
  '-DGGML_NATIVE=OFF',
  '-DGGML_BACKEND_DL=ON',
  '-DGGML_CPU_ALL_VARIANTS=ON',
  // Those libraries hold the HTTP server, without TLS: it listens on a socket.
  '-DLLAMA_OPENSSL=OFF',
]

/** What no library holds: the server itself, and what it alone uses. */
const ownObjects = /^(tools|vendor\/hash)\/.*\.o$/

/**
 * The archive's path; its one folder is `llama-<tag>/`. Compiling takes some two minutes on two cores. A build
 * that was interrupted goes on where it stopped: its folder stands in the cache until the archive does.
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
  // Written last by CMake; from then on Ninja itself calls CMake when there is cause to.
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
  // Same inputs, same names, owners and times.
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0']
  const inFolder = ['-C', dirname(release), basename(release)]
  await runLogged('llama-pack', ['tar', ...same, '-czf', archive, ...inFolder])
}

/** The folder of its one unpacked copy, which nobody changes: llama-server finds its libraries beside itself. */
export async function unpackedRelease(): Promise<string> {
  const archive = await llamaRelease()
  return cached('llama-unpacked', [archive], async folder => {
    mkdirSync(folder)
    await runLogged('llama-unpack', ['tar', '-xzf', archive, '-C', folder, '--strip-components=1'])
  })
}
