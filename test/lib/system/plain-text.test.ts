/** Untrusted text must not control the terminal, or forge lines, in log, report and banner. */
import { expect, it } from 'vitest'
import { paths } from '../../../lib/appliance/paths.ts'
import { loginBanner, reportFile } from '../../../lib/render/text/report.ts'
import { showProgress } from '../../../lib/steps/models/fetch-progress.ts'
import { logLines } from '../../../lib/system/log.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { plain } from '../../../lib/system/plain-text.ts'
import { capacityFor, tinyModel } from '../../support/capacity.ts'
import { recordedHost } from '../../support/recorded-host.ts'

const attacks: [string, string, string][] = [
  ['a cleared screen', 'a\u001b[2J\u001b[Hb', 'ab'],
  ['colours', '\u001b[1;31mred\u001b[0m', 'red'],
  ['a window title', 'a\u001b]0;owned\u0007b', 'ab'],
  ['a window title with a string terminator', 'a\u001b]0;owned\u001b\\b', 'ab'],
  ['a link', '\u001b]8;;http://x/\u001b\\here\u001b]8;;\u001b\\', 'here'],
  ['the clipboard', 'a\u001b]52;c;cm0gLXJm\u0007b', 'ab'],
  ['a device control string', 'a\u001bP1$r0m\u001b\\b', 'ab'],
  ['an unterminated one', 'a\u001b]0;owned\nb', 'a\nb'],
  ['8-bit controls', 'a\u009b2Jb\u009d0;owned\u009cc', 'abc'],
  ['a lone escape', 'a\u001b', 'a'],
  ['a line that overwrites the previous one', 'failed\rready', 'failed\nready'],
  ['CR LF', 'a\r\nb', 'a\nb'],
  ['Unicode line separators', 'a\u2028b\u2029c\u0085d', 'a\nb\nc\nd'],
  ['a bell and backspaces', 'key\u0007\b\b\bno', 'keyno'],
  ['form feed and vertical tab', 'a\f\vb', 'ab'],
  ['NUL', 'a\0b', 'ab'],
  ['DEL', 'a\u007fb', 'ab'],
  ['reversed text', 'moc.live\u202elive.com\u202c\u2066x\u2069', 'moc.livelive.comx'],
  ['hidden characters', 'pass\u200bword\ufeff\u2060\u00ad', 'password'],
  ['hidden words', 'a\u{e0041}\u{e0042}b', 'ab'],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
  ['harmless text', 'naïve\t日本語 🙂 ‘quoted’\n', 'naïve\t日本語 🙂 ‘quoted’\n'],
]

it.each(attacks)('%s', (_, text, expected) => {
  expect(plain(text)).toBe(expected)
  expect(plain(expected)).toBe(expected)
})

const forged = 'refused\n2026-02-14T10:00:00Z [INFO] Ready.\r2026-02-14T10:00:00Z [INFO] \u001b[2JReady.'

it('cannot forge a log entry', () => {
  const lines = logLines(new Date('2026-02-14T10:00:00Z'), 'WARN', forged).split('\n').filter(Boolean)
  expect(lines).toHaveLength(3)
  expect(lines.filter(line => /\[WARN\] \S/.test(line))).toEqual(['2026-02-14T10:00:00Z [WARN] refused'])
  for (const line of lines) expect(line).toMatch(/^2026-02-14T10:00:00Z \[WARN\] [ -~]+$/)
})

const report = {
  endpoints: ['192.0.2.7'],
  password: 'a-password-of-20-chr',
  capacity: capacityFor(tinyModel),
  companions: [],
  serves: true,
  isRouter: false,
  services: [],
  tls: { mode: 'private' as const, names: [], isPublic: false, ends: 'then', caFingerprint: 'AA:BB' },
  remarks: ['\u001b]0;owned\u0007a remark\nAPI key = mine'],
  notes: ["it's\u202e \u001b[2Ja note\n[SLM-Copilot]\nAPI key = mine\r'; rm -rf /; echo '"],
}

it('cannot add lines or control characters to report, banner and progress', async () => {
  const host = recordedHost()
  await applyFiles(host, [reportFile(paths.report, report), loginBanner(report)])
  showProgress(host, 'model', report.notes[0] ?? '')
  for (const path of [paths.report, paths.banner, paths.fetchProgress]) {
    const text = host.files.read(path) ?? ''
    expect(text).toContain('a note')
    expect(text).toBe(plain(text))
  }
  const lines = (host.files.read(paths.report) ?? '').split('\n')
  expect(lines.filter(line => line.startsWith('API key'))).toEqual([
    'API key             = a-password-of-20-chr',
  ])
  expect(lines.filter(line => line === '[SLM-Copilot]')).toHaveLength(1)
  expect(await applyFiles(host, [loginBanner(report)])).toEqual([
    { path: paths.banner, outcome: 'unchanged' },
  ])
})
