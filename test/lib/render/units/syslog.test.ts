import { expect, it } from 'vitest'
import { paths } from '../../../../lib/appliance/paths.ts'
import { syslogFiles } from '../../../../lib/render/units/syslog.ts'

it.each([
  ['the CA in the context', 'A CA\n', { path: paths.syslogCa, mode: 0o644, text: 'A CA\n' }],
  ['without one, those that Debian trusts', undefined, { path: paths.syslogCa, link: paths.trustedCas }],
])('checks the log server by %s', (_, syslogCa, file) => {
  expect(syslogFiles({ syslog: { host: 'log.example.org', port: 6514 }, syslogCa })[0]).toEqual(file)
})
