/** nginx's TLS checked by testssl.sh: it finds nothing except that the CA is private. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Edge, startEdge } from './support/stack.ts'

let edge: Edge
beforeAll(async () => {
  edge = await startEdge({})
})
afterAll(() => edge?.close())

type TestsslFinding = { id: string; severity: string; finding: string }

/**
 * Inherent in a private CA: it is in no trust store, publishes no revocations, and is not in public DNS. HSTS is only
 * sent with a public certificate: with it, browsers would not let their users past a new CA.
 */
const ofPrivateCa = ['cert_chain_of_trust', 'cert_revocation', 'DNS_CAArecord', 'HSTS']

it('testssl.sh finds nothing above INFO', { timeout: 900_000 }, async () => {
  const file = join(edge.root, 'testssl.json')
  const host = `localhost:${edge.httpsPort}`
  const { stderr } = spawnSync(
    'testssl',
    ['--quiet', '--warnings', 'off', '--color', '0', '--ip', '127.0.0.1', '--jsonfile', file, host],
    { encoding: 'utf8' },
  )
  const findings: TestsslFinding[] = JSON.parse(readFileSync(file, 'utf8'))
  expect(findings.length, stderr).toBeGreaterThan(50)
  // WARN means that testssl.sh itself had a problem, such as a slow connection; it is not a finding.
  const bad = findings.filter(({ severity }) => ['LOW', 'MEDIUM', 'HIGH', 'CRITICAL'].includes(severity))
  const told = bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`)
  console.log(`testssl.sh: ${findings.length} findings; above INFO:\n${told.join('\n')}`)
  expect(bad.filter(({ id }) => !ofPrivateCa.includes(id))).toEqual([])
})
