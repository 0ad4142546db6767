/** Checks of what clients meet on the network. */
import { skipped } from '../../../lib/appliance/diagnosis/finding.ts'
import {
  certificateFinding,
  clockFinding,
  domainFinding,
  orderFinding,
  portsFinding,
} from '../../../lib/appliance/diagnosis/network.ts'
import { ports } from '../../../lib/appliance/paths.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { readPlan } from '../../../lib/steps/plan.ts'
import { isOnlyClockWrong } from '../../../lib/steps/tls/clock.ts'
import { readPairInUse } from '../../../lib/steps/tls/installed-pairs.ts'
import { readState } from '../../../lib/system/state-files.ts'
import { certificatesIn, covers, datesOf } from '../../../lib/system/x509.ts'
import type { DoctorCheck } from './check.ts'

export const networkChecks: DoctorCheck[] = [
  {
    name: 'domain',
    expected: 'resolves to this VM',
    run: async host => {
      const { order } = readPlan(host)
      if (order === undefined) return skipped('no domain is set')
      const { stdout } = await host.query`getent ahosts ${order.domain}`.nothrow()
      const resolved = stdout.split('\n').flatMap(line => line.split(' ')[0] || [])
      return domainFinding(order.domain, [...new Set(resolved)], host.facts().addresses)
    },
  },
  {
    name: 'ACME order',
    expected: 'no failed attempt',
    run: host => {
      const domain = readPlan(host).order?.domain
      const attempts = readState(host, stateFiles.attempts) ?? {}
      return orderFinding(domain, domain === undefined ? undefined : attempts[domain]?.reason)
    },
  },
  {
    name: 'ports',
    expected: 'nginx on each',
    run: async host => portsFinding((await host.query`ss -Hltnp`).stdout, Object.values(ports)),
  },
  {
    name: 'certificate',
    expected: 'valid, for the endpoints',
    run: async host => {
      const { endpoints } = readPlan(host)
      const inUse = readPairInUse(host)
      const [leaf] = certificatesIn(inUse.pair.certificate)
      if (leaf === undefined) throw new Error('the file in use holds no certificate')
      const covered = endpoints.filter(name => covers(leaf, name))
      if (await isOnlyClockWrong(host, inUse)) return clockFinding(datesOf(leaf), host.now())
      return certificateFinding(datesOf(leaf), host.now(), { covered, endpoints })
    },
  },
]
