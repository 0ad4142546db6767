import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { filesUnder } from '../../../lib/system/files.ts'

/** Only root can mount. */
describe.runIf(process.getuid?.() === 0)('on a file system that cannot be written', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-full-'))
  const files = filesUnder(folder)
  beforeAll(() => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder])
    files.replace('/state/plan.json', 'before', 0o640)
  })
  afterAll(() => {
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })

  it('keeps the old file if the disk is full; the error names the file, the reason and the fix', () => {
    expect(() => files.replace('/state/plan.json', 'x'.repeat(2 ** 20), 0o640)).toThrow(
      '/state/plan.json could not be written: no space left on device. It is unchanged. Fix: free space there (df -h /state), then run this again.',
    )
    expect(readFileSync(join(folder, 'state/plan.json'), 'utf8')).toBe('before')
    expect(readdirSync(join(folder, 'state'))).toEqual(['plan.json'])
  })

  const changes: [string, (path: string) => void][] = [
    ['replace', path => files.replace(path, 'after', 0o640)],
    ['replaceLink', path => files.replaceLink(path, 'elsewhere')],
    ['makeFolder', path => files.makeFolder(`${path}.d`, 0o700)],
    ['setMode', path => files.setMode(path, 0o600)],
    ['rename', path => files.rename(path, path)],
    ['remove', path => files.remove(path)],
  ]
  it.each(changes)('reports a read-only file system: %s', (_, change) => {
    execFileSync('mount', ['-o', 'remount,ro', folder])
    try {
      expect(() => change('/state/plan.json')).toThrow(
        /^\/state\/plan\.json(\.d)? could not be written: read-only file system.*\. It is unchanged\. Fix: /i,
      )
    } finally {
      execFileSync('mount', ['-o', 'remount,rw', folder])
    }
    expect(readFileSync(join(folder, 'state/plan.json'), 'utf8')).toBe('before')
  })
})

it('several processes may replace the same file at once: it is always one of theirs, whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-at-once-'))
  const module = JSON.stringify(join(import.meta.dirname, '../../../lib/system/files.ts'))
  const script = `const { filesUnder } = await import(${module})
    const files = filesUnder(${JSON.stringify(folder)})
    for (let time = 0; time < 200; time += 1) {
      files.replace('/shared', process.argv[1].repeat(100_000), 0o644)
      const read = files.read('/shared')
      if (read !== read[0].repeat(100_000)) throw new Error('torn: ' + read.length)
    }`
  const write = (letter: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, letter])
  try {
    await Promise.all(['a', 'b', 'c'].map(write))
    expect(readdirSync(folder)).toEqual(['shared'])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
