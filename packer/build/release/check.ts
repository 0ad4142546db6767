/** Whether this checkout may be released: version, changelog, tag, clean tree, image. Pure. */

export type ReleaseFacts = {
  /** In package.json, and in package-lock.json. */
  version: string
  lockedVersion: string
  changelog: string
  /** The commit of HEAD. */
  commit: string
  /** The commit of the tag `v<version>`, if there is one. */
  taggedCommit: string | undefined
  /** Files with uncommitted changes, and files that git does not know. */
  changedFiles: string[]
  /** The SHA-256 of the llama.cpp archive that appliances get by an upgrade. */
  llamaCpp: string
  /** What the manifest in dist/image says; undefined without an image. `llamaCpp`: as above. */
  image: { version: string; commit: string | null; llamaCpp: string } | undefined
}

export type Section = { version: string; date: string; text: string }

/** The changelog's newest section, such as `## 1.2.3 (2026-11-26)` and what follows; undefined if there is none. */
export function newestSection(changelog: string): Section | undefined {
  const [, version, date, text] = /^## (\S+) \(([^)]*)\)\n(.*?)(?=^## |$(?![\s\S]))/ms.exec(changelog) ?? []
  return version === undefined || date === undefined || text === undefined
    ? undefined
    : { version, date, text: text.trim() }
}

const isDate = (text: string) => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))

/** A release, or a pre-release such as `1.2.3-rc.1` (semver.org, without build metadata). */
const isVersion = (text: string) =>
  /^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/.test(text)

/** Everything that stands in the way of a release, each with what to do. */
export const problemsOf = (facts: ReleaseFacts): string[] => [
  ...versionProblems(facts),
  ...changelogProblems(facts),
  ...gitProblems(facts),
  ...imageProblems(facts),
]

function* versionProblems({ version, lockedVersion }: ReleaseFacts) {
  if (!isVersion(version))
    yield `package.json: the version "${version}" is not MAJOR.MINOR.PATCH. Fix: npm version --no-git-tag-version X.Y.Z`
  if (lockedVersion !== version)
    yield `package-lock.json has version ${lockedVersion}, package.json ${version}. Fix: npm install --package-lock-only`
}

function* changelogProblems({ version, changelog }: ReleaseFacts) {
  const section = newestSection(changelog)
  if (section === undefined) {
    yield `CHANGELOG.md has no section. Fix: add "## ${version} (YYYY-MM-DD)" and what is new.`
    return
  }
  if (section.version !== version)
    yield `CHANGELOG.md: the newest section is for ${section.version}, package.json has ${version}. Fix: make them equal.`
  if (!isDate(section.date))
    yield `CHANGELOG.md: the newest section has "${section.date}" for its date. Fix: write the date of the release, as YYYY-MM-DD.`
  if (!/^- \S/m.test(section.text))
    yield 'CHANGELOG.md: the newest section says nothing. Fix: list what is new.'
}

function* gitProblems({ version, commit, taggedCommit, changedFiles }: ReleaseFacts) {
  const tag = `v${version}`
  const shown = changedFiles.slice(0, 10).join(', ')
  if (changedFiles.length > 0)
    yield `The tree is not clean: ${shown}${changedFiles.length > 10 ? ` and ${changedFiles.length - 10} more` : ''}. Fix: commit or remove these.`
  if (taggedCommit === undefined)
    yield `HEAD (${commit.slice(0, 12)}) has no tag ${tag}. Fix: git tag -a ${tag} -m 'SLM-Copilot ${version}'`
  else if (taggedCommit !== commit)
    yield `The tag ${tag} is on ${taggedCommit.slice(0, 12)}, not on HEAD (${commit.slice(0, 12)}). Fix: raise the version, or check that tag out.`
}

function* imageProblems({ version, commit, image, llamaCpp }: ReleaseFacts) {
  if (image === undefined) return
  if (image.version !== version)
    yield `dist/image has version ${image.version}, package.json ${version}. Fix: bake the image again, or remove dist/image.`
  if (image.commit !== commit)
    yield `dist/image was baked from ${image.commit ?? 'an unknown commit'}, HEAD is ${commit}. Fix: bake the image again, or remove dist/image.`
  if (image.llamaCpp !== llamaCpp)
    yield `dist/image has llama.cpp ${image.llamaCpp.slice(0, 12)}, an upgrade would install ${llamaCpp.slice(0, 12)} (SHA-256 of the archives). Fix: give both the same RELEASE, or remove dist/image.`
}
