import { expect, it } from 'vitest'
import { verdictOn } from '../../packer/build/audit.ts'

/** What npm 11 prints: a report, or an error. */
const report = (counts: object, vulnerabilities = {}) =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: counts } })
const none = { info: 0, low: 0, moderate: 0, high: 0, critical: 0, total: 0 }
const zod = { zod: { name: 'zod', severity: 'high', range: '<4.6.8' } }

it.each([
  ['no findings', report(none), true, 'no known vulnerabilities'],
  ['a moderate one', report({ ...none, moderate: 1, total: 1 }), true, '1 moderate.'],
  [
    'a high one',
    report({ ...none, high: 1, low: 2, total: 3 }, zod),
    false,
    '1 high, 2 low.\n  high: zod <4.6.8',
  ],
  ['a critical one', report({ ...none, critical: 1, total: 1 }), false, '1 critical'],
  [
    'a mirror without audits',
    JSON.stringify({
      message: '405 Method Not Allowed - POST https://registry.example.com/x',
      statusCode: 405,
    }),
    true,
    'failed, so vulnerabilities are unknown. Run it again once the registry can be reached. npm said: 405 Method Not Allowed',
  ],
  [
    'no network',
    JSON.stringify({ error: { code: 'ENOTFOUND', summary: 'getaddrinfo failed' } }),
    true,
    'getaddrinfo',
  ],
  ['no npm', 'spawnSync npm ENOENT', true, 'npm said: spawnSync npm ENOENT'],
  ['nothing', '', true, 'npm said: nothing'],
])('%s', (_, output, passes, text) => {
  expect(verdictOn(output)).toEqual({ passes, text: expect.stringContaining(text) })
})
