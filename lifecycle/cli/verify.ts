/** `slm-copilot verify`: whether model, llama.cpp and executable have the digests that this image should have. */
import { wrapped } from '../../lib/appliance/text.ts'
import { type ExpectedFile, expectedDigests } from '../../lib/steps/models/expected-digests.ts'
import { releaseWithOwnModels } from '../../lib/steps/models/own-models.ts'
import type { Host } from '../../lib/system/host.ts'
import { readable, sha256Of } from '../../lib/system/large-files.ts'
import packageFile from '../../package.json' with { type: 'json' }

/** Milliseconds between two lines of progress. */
const reportEvery = 5000

/** Hands over a line for each file. Returns whether all are intact. Changes nothing. */
export async function verify(host: Host, onText: (text: string) => void): Promise<boolean> {
  const { files, unchecked } = expectedDigests(host, releaseWithOwnModels(host), packageFile.version)
  const damaged: ExpectedFile[] = []
  for (const file of files) {
    const problem = await problemOf(host, file, onText)
    onText(problem === undefined ? `ok       ${file.path}\n` : row('damaged', `${file.path}: ${problem}`))
    if (problem !== undefined) damaged.push(file)
  }
  for (const { what, reason } of unchecked) onText(row('skipped', `${what}: ${reason}.`))
  const fixes = [...new Set(damaged.map(({ fix }) => fix))]
  onText(`\n${files.length} files checked, ${damaged.length} damaged.\n`)
  for (const fix of fixes) onText(row('fix', fix))
  return damaged.length === 0
}

const row = (state: string, text: string) =>
  wrapped(text, 70)
    .map((line, index) => `${(index === 0 ? state : '').padEnd(8)} ${line}\n`)
    .join('')

async function problemOf(
  host: Host,
  { path, sha256 }: ExpectedFile,
  onText: (text: string) => void,
): Promise<string | undefined> {
  const size = host.files.status(path)?.size
  if (size === undefined) return 'it is missing.'
  let reported = performance.now()
  const found = await sha256Of(host.files.at(path), bytes => {
    if (performance.now() - reported < reportEvery) return
    reported = performance.now()
    onText(`         ${path}: ${Math.floor((100 * bytes) / size)} % of ${readable(size)}\n`)
  })
  return found === sha256 ? undefined : `its SHA-256 is ${found}, and must be ${sha256}.`
}
