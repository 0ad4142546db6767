import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { logLines, openLog } from '../../../lib/system/log.ts'

const now = () => new Date('2026-02-14T10:00:00.123Z')
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slm-copilot-log-'))
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

it('stamps every line, and indents continuation lines', () => {
  expect(logLines(new Date('2026-02-14T10:00:00.123Z'), 'INFO', 'one\ntwo\n')).toBe(
    '2026-02-14T10:00:00Z [INFO] one\n2026-02-14T10:00:00Z [INFO]   two\n',
  )
})

const captureOutput = () => {
  const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  return { out: () => out.mock.calls.map(String), err: () => err.mock.calls.map(String) }
}

it('writes to its file, in a folder that it creates', () => {
  const { out, err } = captureOutput()
  const path = join(folder, 'new', 'a.log')
  openLog(now, path).info('hello')
  expect(readFileSync(path, 'utf8')).toBe('2026-02-14T10:00:00Z [INFO] hello\n')
  expect(statSync(path).mode & 0o777).toBe(0o640)
  expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
  expect([out().length, err().length]).toEqual([1, 0])
})

const brokenLogs: [string, (path: string) => void, string][] = [
  ['on a full disk', path => symlinkSync('/dev/full', path), 'no space left on device'],
  ['on a read-only file system', path => symlinkSync('/proc/version', path), '(i/o error|permission denied)'],
  ['with a folder in its place', path => mkdirSync(path), 'illegal operation on a directory'],
  [
    'with a file in place of its folder',
    path => writeFileSync(join(path, '..'), ''),
    '(file already exists|not a directory)',
  ],
]

it.each(brokenLogs)('continues without a file %s, and reports that once', (_, make, reason) => {
  const { out, err } = captureOutput()
  const path = join(folder, 'logs', 'a.log')
  if (reason.includes('exists')) make(path)
  else {
    mkdirSync(join(folder, 'logs'))
    make(path)
  }
  const log = openLog(now, path)
  log.info('one')
  log.error('two')
  expect(out()).toEqual(['2026-02-14T10:00:00Z [INFO] one\n', '2026-02-14T10:00:00Z [ERROR] two\n'])
  expect(err()).toEqual([
    expect.stringMatching(
      new RegExp(
        `\\[WARN\\] The log ${path} cannot be written: ${reason}\\. The stage continues without it\\.\\n$`,
      ),
    ),
  ])
})
