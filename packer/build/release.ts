/** `make release`: checks that this commit may be released, and writes what to upload into dist/release. */
import { execFileSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { readable } from '../../lib/system/large-files.ts'
import { buildExecutable } from './executable.ts'
import { timeOf } from './git.ts'
import { script, step } from './progress.ts'
import { type Asset, type AssetSources, sourcesIn, writeAssets } from './release/assets.ts'
import { newestSection, problemsOf } from './release/check.ts'
import { readReleaseFacts } from './release/facts.ts'
import { isTested } from './release/tested.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

/** Throws, with all of them, if there are problems. */
function checked() {
  const facts = readReleaseFacts(checkout)
  const problems = problemsOf(facts)
  if (problems.length > 0)
    throw new Error([`make release: version ${facts.version} is not ready`, ...problems].join('\n  '))
  return facts
}

/** Runs the suite unless it has passed for this commit; it prints what fails. */
function ensureTested(commit: string): void {
  if (isTested(checkout, commit)) return
  console.log(`==> The suite has not passed for ${commit.slice(0, 12)} yet: make test`)
  execFileSync('make', ['test'], { cwd: checkout, stdio: 'inherit' })
  if (!isTested(checkout, commit)) throw new Error('make release: files have changed during the tests.')
}

const summary = (folder: string, tag: string, assets: Asset[], { absent }: AssetSources) =>
  [
    '',
    `${tag} is ready. Upload these, with NOTES.md as the text of the release:`,
    '',
    ...assets.map(({ name, size }) => `  ${readable(size).padStart(9)}  ${name}`),
    '',
    ...absent.map(what => `Not included: ${what}`),
    `Folder: ${folder}`,
    `Publish the tag: git push origin ${tag}`,
  ].join('\n')

await script(async () => {
  const { version, commit, changelog } = checked()
  ensureTested(commit)
  const executable = await step('Executable', buildExecutable)
  const sources = sourcesIn(join(checkout, 'dist'), executable)
  const folder = join(checkout, 'dist', 'release', `v${version}`)
  const notes = newestSection(changelog)?.text ?? ''
  const assets = await step('Checksums', () => writeAssets(folder, sources, notes, timeOf(checkout, commit)))
  console.log(summary(folder, `v${version}`, assets, sources))
})
