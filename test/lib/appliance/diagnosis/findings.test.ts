import { describe, expect, it } from 'vitest'
import { noted, problem, warning } from '../../../../lib/appliance/diagnosis/finding.ts'
import {
  certificateFinding,
  clockFinding,
  domainFinding,
  orderFinding,
  portsFinding,
} from '../../../../lib/appliance/diagnosis/network.ts'
import { countRefusals, refusalsFinding } from '../../../../lib/appliance/diagnosis/requests.ts'
import {
  dropInsFinding,
  failedUnitsFinding,
  filesFinding,
  parseUnitSettings,
} from '../../../../lib/appliance/diagnosis/services.ts'
import { readingFinding, spaceFinding } from '../../../../lib/appliance/diagnosis/storage.ts'

describe('network', () => {
  const own = ['192.0.2.7', '2001:db8::7']
  it.each([
    [['192.0.2.7'], 'ok', 'copilot.example is 192.0.2.7'],
    [['198.51.100.1', '2001:db8::7'], 'ok', '2001:db8::7'],
    [['198.51.100.1'], 'warning', 'none of which is an address of this VM'],
    [[], 'problem', 'does not resolve'],
  ])('a domain that resolves to %j: %s', (resolved, state, seen) => {
    const finding = domainFinding('copilot.example', resolved, own)
    expect(finding.state).toBe(state)
    expect(finding.seen).toContain(seen)
  })

  const line = (address: string, program: string) =>
    `LISTEN 0      511          ${address}       0.0.0.0:*    users:(("${program}",pid=12,fd=5))`
  const nginx = (address: string) => line(address, 'nginx')
  it.each([
    [[nginx('0.0.0.0:80'), nginx('[::]:80'), nginx('*:443')], 'ok', 'nginx on 80 and 443'],
    [[nginx('0.0.0.0:80'), line('0.0.0.0:443', 'apache2')], 'problem', 'apache2 listens on 443'],
    [[nginx('0.0.0.0:8080'), nginx('[::]:443')], 'problem', 'nothing listens on 80'],
    [[`  ${nginx('*:80')}`, nginx('*:443')], 'ok', 'nginx on 80 and 443'],
    [['LISTEN 0 1 0.0.0.0:80 0.0.0.0:*', nginx('[::]:443')], 'problem', 'another program listens on 80'],
    [[''], 'problem', 'nothing listens on 80, nothing listens on 443'],
  ])('ports %#: %s', (lines, state, seen) => {
    expect(portsFinding(lines.join('\n'), [80, 443])).toMatchObject({ state, seen })
  })

  const names = { covered: ['a.example'], endpoints: ['a.example', '192.0.2.7'] }
  const none = { ...names, covered: [] }
  it.each([
    ['2026-01-01', '2026-06-01', names, 'ok', 'for a.example, 107 days left'],
    ['2026-01-01', '2026-02-20', names, 'warning', 'for a.example, 6 days left'],
    ['2026-01-01', '2026-02-27T12:00:00Z', names, 'ok', 'for a.example, 14 days left'],
    ['2026-01-01', '2026-02-27', names, 'warning', 'for a.example, 13 days left'],
    ['2026-01-01', '2026-02-14', names, 'warning', 'for a.example, 0 days left'],
    ['2026-01-01', '2026-02-13T12:00:00Z', names, 'warning', 'for a.example, 0 days left'],
    ['2026-01-01', '2026-02-13', names, 'problem', 'expired'],
    ['2026-02-13T12:00:00Z', '2026-06-01', names, 'ok', 'for a.example, 107 days left'],
    ['2026-03-01', '2026-06-01', names, 'problem', 'not valid before 2026-03-01'],
    ['2026-01-01', '2026-06-01', none, 'problem', 'for none of the endpoints, 107 days left'],
  ])('a certificate from %s to %s, %j: %s', (from, to, covered, state, seen) => {
    const dates = { from: new Date(from), to: new Date(to) }
    const now = new Date('2026-02-13T12:00:00Z')
    expect(certificateFinding(dates, now, covered)).toMatchObject({ state, seen })
  })

  it('a certificate that only this clock calls invalid', () => {
    const dates = { from: new Date('2026-01-01'), to: new Date('2028-04-01') }
    expect(clockFinding(dates, new Date('1970-01-02'))).toEqual({
      state: 'problem',
      seen: "valid from 2026-01-01 to 2028-04-01, but this machine's clock, which no time source confirms, says 1970-01-02",
      fix: 'Set NTP servers in ONEAPP_COPILOT_NTP_SERVERS, or the clock itself: date --set',
    })
  })

  it.each([
    [undefined, undefined, 'skipped'],
    ['a.example', undefined, 'ok'],
    ['a.example', 'Connection refused', 'problem'],
  ])('an order for %s, failed by %s: %s', (domain, reason, state) => {
    expect(orderFinding(domain, reason)).toMatchObject({
      state,
      seen: expect.stringContaining(reason ?? domain ?? 'no certificate is ordered'),
    })
  })
})

describe('storage', () => {
  it.each([
    [3e9, 'ok', '3.0 GB free'],
    [2e9, 'ok', '2.0 GB free'],
    [1.99e9, 'warning', '2.0 GB free'],
    [2e8, 'warning', '0.2 GB free'],
    [1.9e8, 'problem', '0.2 GB free'],
    [0, 'problem', '0.0 GB free'],
  ])('%d bytes free: %s', (free, state, seen) => {
    const finding = spaceFinding('/var', free)
    expect(finding).toMatchObject({ state, seen })
    expect(finding.fix === undefined).toBe(state === 'ok')
  })

  it.each([
    [128e6, 0.5, 'ok', '256 MB/s'],
    [128e6, 4, 'warning', '32 MB/s'],
    [240e6, 2, 'ok', '120 MB/s'],
    [239e6, 2, 'warning', '120 MB/s'],
  ])('%d bytes in %d s: %s', (bytes, seconds, state, seen) => {
    expect(readingFinding(bytes, seconds)).toMatchObject({ state, seen })
  })
})

describe('requests', () => {
  const requests = [200, 429, 401, 404, 429].map(status => ({ status }))

  it('counts the refused ones by status', () => {
    expect(countRefusals(requests)).toEqual({
      total: 5,
      refused: new Map([
        [429, 2],
        [401, 1],
      ]),
    })
    expect(refusalsFinding(requests).seen).toBe(
      'among 5 requests: 1 × 401 (without a valid key), 2 × 429 (while all slots were busy, or its key had too many in progress)',
    )
    expect(refusalsFinding([])).toEqual({ state: 'ok', seen: 'none among 0 requests' })
  })
})

describe('services', () => {
  const shown = (dropIns: string, outdated: string) =>
    parseUnitSettings(`Id=a.service
DropInPaths=/own.conf
NeedDaemonReload=no

Id=b.service
DropInPaths=${dropIns}
NeedDaemonReload=${outdated}
`)

  it.each([
    ['', 'no', 'ok', 'no drop-ins by others'],
    [
      '/own.conf /etc/systemd/system/b.service.d/override.conf',
      'no',
      'warning',
      'changed by /etc/systemd/system/b.service.d/override.conf',
    ],
    ['', 'yes', 'warning', 'b.service changed on disk and not reloaded'],
  ])('drop-ins %j, outdated %s: %s', (dropIns, outdated, state, seen) => {
    expect(dropInsFinding(shown(dropIns, outdated), ['/own.conf'])).toMatchObject({ state, seen })
  })

  it('reads units of which systemd says less', () => {
    expect(parseUnitSettings('\nId=a.service\n\nId=b.service\nNeedDaemonReload=yes\n\n')).toEqual([
      { unit: 'a.service', dropIns: [], isOutdated: false },
      { unit: 'b.service', dropIns: [], isOutdated: true },
    ])
  })

  it.each<['warning' | 'problem', string[], object]>([
    ['warning', [], { state: 'ok', seen: 'all well' }],
    ['warning', ['One.'], { state: 'warning', seen: 'One.' }],
    ['problem', ['One.', 'Two.'], { state: 'problem', seen: 'One. Two.' }],
  ])('a %s from the notes %j', (state, notes, finding) => {
    expect(noted(state, notes, 'all well')).toEqual(finding)
  })

  it('a finding without a fix has none', () => {
    expect(Object.keys({ ...warning('x') })).toEqual(['state', 'seen'])
    expect(Object.keys({ ...problem('x') })).toEqual(['state', 'seen'])
    expect([warning('x', 'y'), problem('x', 'y')].map(({ fix }) => fix)).toEqual(['y', 'y'])
  })

  it.each([
    [[], 'ok', undefined],
    [['other.service'], 'warning', 'systemctl status other.service'],
    [['other.service', 'nginx.service'], 'problem', 'systemctl status nginx.service'],
  ])('failed units %j: %s', (failed, state, fix) => {
    const finding = failedUnitsFinding(failed, ['nginx.service'])
    expect(finding.state).toBe(state)
    expect(finding.fix).toBe(fix)
  })

  it('files that differ are named, with the command that restores them', () => {
    expect(filesFinding(3, [])).toEqual({ state: 'ok', seen: '3 files as configured' })
    expect(filesFinding(3, ['/a', '/b'], 'slm-copilot install')).toEqual({
      state: 'problem',
      seen: 'missing or changed: /a, /b',
      fix: 'slm-copilot install',
    })
  })
})
