import { describe, expect, it } from 'vitest'
import { newestSection, problemsOf, type ReleaseFacts } from '../../../../packer/build/release/check.ts'

const commit = 'a'.repeat(40)
const sha256 = 'c'.repeat(64)
const ready: ReleaseFacts = {
  version: '1.2.3',
  lockedVersion: '1.2.3',
  changelog: '# Changelog\n\n## 1.2.3 (2026-11-26)\n\n- New.\n\n## 1.2.2 (2026-10-01)\n\n- Old.\n',
  commit,
  taggedCommit: commit,
  changedFiles: [],
  llamaCpp: sha256,
  image: { version: '1.2.3', commit, llamaCpp: sha256 },
}
const changelog = (heading: string, text = '- New.') => `# Changelog\n\n${heading}\n\n${text}\n`

describe('a release', () => {
  it.each<[string, Partial<ReleaseFacts>]>([
    ['with an image', {}],
    ['without an image', { image: undefined }],
    [
      'that is a pre-release',
      {
        version: '1.0.0-rc.1',
        lockedVersion: '1.0.0-rc.1',
        changelog: changelog('## 1.0.0-rc.1 (2026-11-26)'),
        image: undefined,
      },
    ],
  ])('%s is ready', (_, facts) => {
    expect(problemsOf({ ...ready, ...facts })).toEqual([])
  })

  it.each<[string, Partial<ReleaseFacts>, RegExp]>([
    ['a version that is none', { version: '1.2', lockedVersion: '1.2' }, /"1\.2" is not MAJOR\.MINOR\.PATCH/],
    ['a version with a v', { version: 'v1.2.3' }, /"v1\.2\.3" is not MAJOR/],
    ['a lock file of another version', { lockedVersion: '1.2.2' }, /package-lock\.json has version 1\.2\.2/],
    ['no changelog', { changelog: '# Changelog\n' }, /no section.*"## 1\.2\.3 \(YYYY-MM-DD\)"/],
    [
      'a changelog of another version',
      { changelog: changelog('## 1.2.2 (2026-10-01)') },
      /newest section is for 1\.2\.2/,
    ],
    [
      'a changelog without a date',
      { changelog: changelog('## 1.2.3 (unreleased)') },
      /has "unreleased" for its date/,
    ],
    [
      'a changelog with a date that is none',
      { changelog: changelog('## 1.2.3 (2026-13-45)') },
      /"2026-13-45" for its date/,
    ],
    ['a changelog that says nothing', { changelog: changelog('## 1.2.3 (2026-11-26)', '') }, /says nothing/],
    [
      'changed files',
      { changedFiles: ['M README.md', '?? x'] },
      /not clean: M README\.md, \?\? x\. Fix: commit/,
    ],
    ['many changed files', { changedFiles: Array.from({ length: 12 }, () => 'M x') }, /and 2 more/],
    ['no tag', { taggedCommit: undefined }, /has no tag v1\.2\.3\. Fix: git tag -a v1\.2\.3 -m/],
    [
      'a tag elsewhere',
      { taggedCommit: 'b'.repeat(40) },
      /tag v1\.2\.3 is on bbbbbbbbbbbb, not on HEAD \(aaaaaaaaaaaa\)/,
    ],
    [
      'an image of another version',
      { image: { version: '1.2.2', commit, llamaCpp: sha256 } },
      /dist\/image has version 1\.2\.2/,
    ],
    [
      'an image of another commit',
      { image: { version: '1.2.3', commit: 'b'.repeat(40), llamaCpp: sha256 } },
      /baked from bbbb/,
    ],
    [
      'an image of changed files',
      { image: { version: '1.2.3', commit: `${commit}-dirty`, llamaCpp: sha256 } },
      /baked from a+-dirty/,
    ],
    [
      'an image of an unknown commit',
      { image: { version: '1.2.3', commit: null, llamaCpp: sha256 } },
      /an unknown commit/,
    ],
    [
      'an image with another llama.cpp than an upgrade would install',
      { image: { version: '1.2.3', commit, llamaCpp: 'd'.repeat(64) } },
      /llama\.cpp dddddddddddd, an upgrade would install cccccccccccc/,
    ],
  ])('%s is a problem', (_, facts, problem) => {
    const problems = problemsOf({ ...ready, ...facts })
    expect(problems).toContainEqual(expect.stringMatching(problem))
    for (const text of problems) expect(text).toMatch(/Fix: \S/)
  })

  it('lists all problems at once', () => {
    const facts = { ...ready, taggedCommit: undefined, changedFiles: ['M x'], changelog: '' }
    expect(problemsOf(facts)).toHaveLength(3)
  })
})

describe("the changelog's newest section", () => {
  it.each([
    ['with another after it', ready.changelog, { version: '1.2.3', date: '2026-11-26', text: '- New.' }],
    [
      'alone',
      changelog('## 1.0.0 (x)', '- A\n  b.\n- C.'),
      { version: '1.0.0', date: 'x', text: '- A\n  b.\n- C.' },
    ],
    ['in an empty file', '', undefined],
  ])('%s', (_, text, section) => {
    expect(newestSection(text)).toEqual(section)
  })
})
