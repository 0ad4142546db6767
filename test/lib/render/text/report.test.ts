import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { productionRelease } from '../../../../lib/appliance/models/release.ts'
import { paths } from '../../../../lib/appliance/paths.ts'
import { severeNotes } from '../../../../lib/appliance/sizing/hardware.ts'
import { loginBanner, type Report, reportText } from '../../../../lib/render/text/report.ts'
import { capacityFor } from '../../../support/capacity.ts'
import { facts } from '../../../support/recorded-host.ts'

const report: Report = {
  endpoints: ['192.0.2.7'],
  password: 'x',
  capacity: capacityFor(productionRelease.model),
  companions: [],
  serves: true,
  isRouter: false,
  services: [],
  tls: { mode: 'private', names: [], isPublic: false, ends: '', caFingerprint: 'AA:BB' },
  notes: [],
  remarks: [],
}
const lineOf = (name: string, text: string) => text.split('\n').find(line => line.startsWith(name.padEnd(20)))

it.each([
  [
    { prompt: 123, generation: 7.5 },
    'prompt 123 tokens/s, generation 7.5 tokens/s (measured at the last start)',
  ],
  [undefined, 'not measured'],
])('shows the speed %j', (speed, text) => {
  expect(lineOf('speed', reportText({ ...report, speed }))).toBe(`${'speed'.padEnd(20)}= ${text}`)
})

it.each([
  ['of the catalogue', {}, 'Apache-2.0'],
  ['of your own', { own: { hasTemplate: true } }, 'states none'],
  ['of your own, with a licence', { own: { hasTemplate: true, licence: 'MIT' } }, 'states "MIT"'],
])('names the licence of a model %s', (_, changes, licence) => {
  const capacity = { ...report.capacity, model: { ...report.capacity.model, ...changes } }
  expect(lineOf('licence', reportText({ ...report, capacity }))).toContain(licence)
})

it('shows the expected speed', () => {
  expect(lineOf('expected', reportText(report))).toMatch(
    /= prompt 3\.5 to 17, generation 2\.0 \(at 50 GB\/s\) to 9\.3 \(at 200 GB\/s\)$/,
  )
})

it.each([
  [
    { mode: 'supplied', isPublic: false },
    "supplied in the context, for a.example.com, b.example.com; trust its root on each developer's machine",
    'root.crt',
  ],
  [
    { mode: 'supplied', isPublic: true },
    'supplied in the context, for a.example.com, b.example.com; publicly trusted',
    undefined,
  ],
] as const)('says where the certificate in use comes from: %o', (given, mode, file) => {
  const text = reportText({
    ...report,
    tls: { ...report.tls, ...given, names: ['a.example.com', 'b.example.com'] },
  })
  expect(lineOf('mode', text)).toBe(`${'mode'.padEnd(20)}= ${mode}`)
  expect(text).toContain(file === undefined ? '&& curl -H @-' : `&& curl --cacert ${file} -H @-`)
})

it('does not claim that a model is served which is not running', () => {
  const idle = { ...report, serves: false }
  expect(lineOf('model', reportText(report))).toMatch(/= devstral-small-2$/)
  expect(lineOf('model', reportText(idle))).toMatch(/= devstral-small-2, not served: see the notes$/)
  expect(loginBanner(idle).text).toContain('model devstral-small-2 (not served): https')
})

it('says in the banner why nothing can be generated, while that is the case', () => {
  const banner = join(mkdtempSync(join(tmpdir(), 'banner-')), 'banner.sh')
  const reason = `${banner}.txt`
  writeFileSync(banner, loginBanner(report).text.replaceAll(paths.unavailableReason, reason))
  const shown = () => execFileSync('bash', ['-ic', `. ${banner}`], { encoding: 'utf8', stdio: 'pipe' })
  expect(shown()).toMatch(/^ {2}SLM-Copilot, model devstral-small-2: https/)
  expect(shown()).not.toContain('Not available')
  writeFileSync(reason, 'It crashed.\n')
  expect(shown()).toContain('\n  Not available: It crashed.\n')
  rmSync(dirname(banner), { recursive: true })
})

it('lists every note once in the report, and no remarks in the banner', () => {
  const withNotes = { ...report, notes: ['A severe note.'], remarks: ['A remark.'] }
  const notes = reportText(withNotes)
    .split('\n')
    .filter(line => line.startsWith('note'))
  expect(notes.map(line => line.replace(/^note *= /, ''))).toEqual(['A severe note.', 'A remark.'])
  expect(reportText(report)).not.toContain('[Notes]')
  expect(loginBanner(withNotes).text).toContain('A severe note.')
  expect(loginBanner(withNotes).text).not.toContain('A remark.')
})

it('shows the VM template line that fixes a CPU without AVX2, in 80 columns', () => {
  const notes = severeNotes({ ...facts, cpu: { model: "Somebody's CPU", features: [] } })
  const { text } = loginBanner({ ...report, notes })
  const banner = execFileSync('bash', ['--norc', '-ic', text], {
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
  })
  expect(banner.replaceAll(/\s+/g, ' ')).toContain('CPU_MODEL = [ MODEL = "host-passthrough" ]')
  expect(banner.replaceAll(/\s+/g, ' ')).toContain(
    "(Somebody's CPU) has no AVX2, which makes inference about 20 times slower.",
  )
  expect(Math.max(...banner.split('\n').map(line => line.length))).toBeLessThanOrEqual(80)
})
