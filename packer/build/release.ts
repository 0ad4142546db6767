/** `make release`: checks that this commit may be released, and writes what to upload into dist/release. */
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readable } from '../../lib/system/large-files.ts'
import { buildExecutable, shim } from './executable.ts'
import { timeOf } from './git.ts'
import { names } from './image/export.ts'
import { parseReleaseSettings, type ReleaseSettings } from './image/settings.ts'
import { signFiles } from './image/sign.ts'
import { script, step } from './progress.ts'
import { fetchLlamaCpp, writeArchive } from './release/archive.ts'
import { type AssetSources, sourcesIn, writeAssets } from './release/assets.ts'
import { newestSection, problemsOf } from './release/check.ts'
import { readReleaseFacts } from './release/facts.ts'
import { isTested } from './release/tested.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

/** Throws, with all of them, if there are problems. */
function checked({ release }: ReleaseSettings) {
  const facts = readReleaseFacts(checkout, release)
  const problems = problemsOf(facts)
  if (problems.length > 0)
    throw new Error([`make release: version ${facts.version} is not ready`, ...problems].join('\n  '))
  return facts
}

/** Runs the suite unless it has passed for this commit; it prints what fails. */
function ensureTested(commit: string): void {
  if (isTested(checkout, commit)) return
  console.log(`==> The suite has not passed for ${commit.slice(0, 12)} yet: make test`)
  const { status, signal, error } = spawnSync('make', ['test'], { cwd: checkout, stdio: 'inherit' })
  if (status !== 0)
    throw new Error(
      `make release: the tests have not passed: make test ended with ${status ?? signal ?? error}`,
    )
  if (!isTested(checkout, commit))
    throw new Error(
      'make release: files have changed during the tests. Fix: commit or remove them, and start again.',
    )
}

/** `folder`: with everything to upload in it, checksums and their signature included. */
const summary = (folder: string, tag: string, { absent }: AssetSources) =>
  [
    '',
    `${tag} is ready. Upload these, with NOTES.md as the text of the release:`,
    '',
    ...readdirSync(folder)
      .sort()
      .map(name => `  ${readable(statSync(join(folder, name)).size).padStart(9)}  ${name}`),
    '',
    ...absent.map(what => `Not included: ${what}`),
    `Folder: ${folder}`,
    `Publish the tag: git push origin ${tag}`,
  ].join('\n')

/** An image's own model stays what it is: the release's is for appliances that have none. */
async function makeArchive(
  executable: string,
  version: string,
  commit: string,
  { release, signKey }: ReleaseSettings,
): Promise<string> {
  const llamaCpp = await fetchLlamaCpp(release)
  const inputs = { version, commit, executable, shim, release, llamaCpp, seconds: timeOf(checkout, commit) }
  return writeArchive(join(checkout, 'dist'), { ...inputs, signKey })
}

await script(async () => {
  const settings = parseReleaseSettings(process.env)
  const { version, commit, changelog } = checked(settings)
  ensureTested(commit)
  const executable = await step('Executable', buildExecutable)
  const archive = await step('Archive for upgrades', () => makeArchive(executable, version, commit, settings))
  const sources = sourcesIn(join(checkout, 'dist'), [executable, archive])
  const folder = join(checkout, 'dist', 'release', `v${version}`)
  const notes = newestSection(changelog)?.text ?? ''
  await step('Checksums', () => writeAssets(folder, sources, notes, timeOf(checkout, commit)))
  if (settings.signKey) signFiles([join(folder, names.sha256)], settings.signKey, `SLM-Copilot ${version}`)
  else sources.absent.push('signatures: make release SIGN_KEY=FILE PUBLIC_KEY=FILE')
  console.log(summary(folder, `v${version}`, sources))
})
