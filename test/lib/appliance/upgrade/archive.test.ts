import { expect, it } from 'vitest'
import {
  digestProblems,
  parseManifest,
  parseMembers,
  parseSums,
  strangeMembers,
} from '../../../../lib/appliance/upgrade/archive.ts'

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const manifest = {
  name: 'SLM-Copilot',
  format: 1,
  version: '1.2.3',
  commit: 'f'.repeat(40),
  llamaCpp: 'v9',
}

it('reads a manifest, and refuses a later format by what it says', () => {
  expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest)
  expect(() => parseManifest(JSON.stringify({ ...manifest, format: 2, more: true }))).toThrow(
    /Version 1\.2\.3 has a format of releases that this version cannot read \(2, this version reads 1\)/,
  )
})

it.each([
  ['no JSON', 'x'],
  ['another product', JSON.stringify({ ...manifest, name: 'x' })],
  ['an unknown field', JSON.stringify({ ...manifest, more: true })],
  ['no commit', JSON.stringify({ ...manifest, commit: undefined })],
])('refuses a manifest: %s', (_, text) => {
  expect(() => parseManifest(text)).toThrow()
})

it('reads the list of digests, and compares', () => {
  const sums = parseSums(`${a}  slm-copilot\n${b} *appliance.sh\n`)
  expect(digestProblems(sums, new Map([...sums]))).toEqual([])
  expect(
    digestProblems(
      sums,
      new Map([
        ['slm-copilot', b],
        ['extra', a],
      ]),
    ),
  ).toEqual([
    'appliance.sh is missing',
    'extra is not in SHA256SUMS',
    `slm-copilot has SHA-256 ${b}, expected ${a}`,
  ])
})

it.each([
  ['a short digest', `${a.slice(1)}  x\n`],
  ['a path', `${a}  ../x\n`],
  ['a name twice', `${a}  x\n${b}  x\n`],
  ['a name with blanks', `${a}  x y\n`],
  ['nothing but a name', 'x\n'],
  ['text before a digest', `SHA256 ${a}  x\n`],
])('refuses a list of digests with %s', (_, text) => {
  expect(() => parseSums(text)).toThrow(/SHA256SUMS has an unexpected line/)
})

it('shows at most 100 characters of an unexpected line', () => {
  expect(() => parseSums('x'.repeat(1000))).toThrow(/: x{100}$/)
})

/** As `tar --list --verbose --numeric-owner` prints it. */
const line = (kind: string, path: string, size = 10) =>
  `${kind}rwxr-xr-x 0/0        ${size} 2026-11-26 10:56 ${path}\n`

it.each([
  ['a folder', line('d', 'r/', 0), { kind: 'd', size: 0, path: 'r/' }],
  ['a file', line('-', 'r/slm-copilot', 128), { kind: '-', size: 128, path: 'r/slm-copilot' }],
  [
    "a user's file with an access control list",
    '-rw-rw-r--+ 1000/1001 12345678901 2026-11-26 10:56 r/slm-copilot\n',
    { kind: '-', size: 12_345_678_901, path: 'r/slm-copilot' },
  ],
  [
    'a file without one, as tar --acls prints it',
    line('-', 'r/slm-copilot').replace(' ', '  '),
    { kind: '-', size: 10, path: 'r/slm-copilot' },
  ],
  ['a path with blanks', line('-', 'r/a b  c'), { kind: '-', size: 10, path: 'r/a b  c' }],
  ['what is no listing', 'tar: strange\n', { kind: '?', size: 0, path: 'tar: strange' }],
])('finds kind, size and path of a member: %s', (_, listing, member) => {
  expect(parseMembers(listing)).toEqual([member])
})

it.each([
  ['a release', line('d', 'r/') + line('-', 'r/slm-copilot') + line('-', 'r/SHA256SUMS.minisig'), []],
  [
    'a release with its version',
    line('d', 'slm-copilot-1.2.3/') + line('-', 'slm-copilot-1.2.3/release.json'),
    [],
  ],
  ['a file below a file', line('-', 'r/slm-copilot/x'), ['r/slm-copilot/x']],
  ['a hidden folder', line('-', '.ssh/slm-copilot'), ['.ssh/slm-copilot']],
  ['a folder that looks like an option', line('-', '-r/slm-copilot'), ['-r/slm-copilot']],
  ['a folder with a blank', line('-', 'r x/slm-copilot'), ['r x/slm-copilot']],
  ['an absolute path', line('-', '/etc/passwd'), ['/etc/passwd']],
  ['a way up', line('-', '../slm-copilot'), ['../slm-copilot']],
  ['a way up inside', line('-', 'r/../slm-copilot'), ['r/../slm-copilot']],
  ['a folder below', line('-', 'r/x/slm-copilot'), ['r/x/slm-copilot']],
  ['an unknown name', line('-', 'r/authorized_keys'), ['r/authorized_keys']],
  ['no folder', line('-', 'slm-copilot'), ['slm-copilot']],
  ['a symbolic link', line('l', 'r/slm-copilot -> /etc/shadow'), ['r/slm-copilot -> /etc/shadow']],
  ['a hard link', line('h', 'r/slm-copilot link to x'), ['r/slm-copilot link to x']],
  ['a link of a good name', line('l', 'r/slm-copilot'), ['r/slm-copilot']],
  ['a device', 'crw-r--r-- 0/0 1,3 2026-11-26 10:56 r/slm-copilot\n', [expect.stringContaining('crw')]],
  ['what is no listing', 'tar: strange\n', ['tar: strange']],
  ['text before a listing', `x ${line('-', 'r/slm-copilot')}`, [expect.stringContaining('x -rwx')]],
  [
    'a mode that is cut off',
    '-rw 0/0 1 2026-11-26 10:56 r/slm-copilot\n',
    [expect.stringContaining('-rw 0/0')],
  ],
  ['a line separator in a name', line('-', 'r/slm-copilot\u2028x'), [expect.stringContaining('slm-copilot')]],
])('members: %s', (_, listing, strange) => {
  expect(strangeMembers(parseMembers(listing))).toEqual(strange)
})
