/** Judges what clients meet on the network: names, ports, certificate. */
import { variables } from '../context/variables.ts'
import { units } from '../paths.ts'
import type { Dates } from '../tls/clock.ts'
import { type Finding, ok, problem, skipped, warning } from './finding.ts'

/** `resolved`: the addresses that the domain resolves to here. `own`: this machine's. */
export function domainFinding(domain: string, resolved: string[], own: string[]): Finding {
  if (resolved.length === 0)
    return problem(
      `${domain} does not resolve`,
      `Create an A or AAAA record for ${domain}: ${own.join(', ')}`,
    )
  const seen = `${domain} is ${resolved.join(', ')}`
  if (resolved.some(address => own.includes(address))) return ok(seen)
  return warning(
    `${seen}, none of which is an address of this VM`,
    `Correct the record, unless a router forwards ports 80 and 443 to ${own.join(', ')}.`,
  )
}

/** Port → the program that listens on it. Parses the output of `ss -Hltnp` (ss(8)). */
const listeners = (sockets: string): Map<number, string> =>
  new Map(
    sockets.split('\n').flatMap(line => {
      const port = Number(line.trim().split(/\s+/)[3]?.split(':').at(-1))
      return Number.isInteger(port)
        ? [[port, /users:\(\("([^"]+)"/.exec(line)?.[1] ?? 'another program']]
        : []
    }),
  )

/** `sockets`: the output of `ss -Hltnp`. */
export function portsFinding(sockets: string, ports: readonly number[]): Finding {
  const programs = listeners(sockets)
  const wrong = ports
    .filter(port => programs.get(port) !== 'nginx')
    .map(port => `${programs.get(port) ?? 'nothing'} listens on ${port}`)
  return wrong.length === 0
    ? ok(`nginx on ${ports.join(' and ')}`)
    : problem(wrong.join(', '), `Stop the other program, if any; then: systemctl restart ${units.nginx}`)
}

const day = 86_400_000

/** `covered`: the endpoints that the certificate covers. */
export function certificateFinding(
  dates: Dates,
  now: Date,
  { covered, endpoints }: { covered: string[]; endpoints: string[] },
): Finding {
  const left = Math.floor((dates.to.getTime() - now.getTime()) / day)
  const seen = `for ${covered.join(', ') || 'none of the endpoints'}, ${left} days left`
  const renew = 'slm-copilot renew; a supplied one: set a new one in the context'
  if (now < dates.from)
    return problem(`not valid before ${dates.from.toISOString().slice(0, 10)}`, 'Set the clock.')
  if (left < 0) return problem('expired', renew)
  if (covered.length === 0) return problem(seen, `Obtain one for ${endpoints.join(', ')}.`)
  return left < 14 ? warning(seen, renew) : ok(seen)
}

/** For a certificate that clients accept, although it is not valid by this machine's clock. */
export function clockFinding({ from, to }: Dates, now: Date): Finding {
  const [start, end, today] = [from, to, now].map(date => date.toISOString().slice(0, 10))
  return problem(
    `valid from ${start} to ${end}, but this machine's clock, which no time source confirms, says ${today}`,
    `Set NTP servers in ${variables.ntpServers.name}, or the clock itself: date --set`,
  )
}

/** `reason`: why the last attempt to obtain a certificate failed. */
export const orderFinding = (domain: string | undefined, reason: string | undefined): Finding => {
  if (domain === undefined) return skipped('no certificate is ordered')
  return reason === undefined
    ? ok(`no failed attempt for ${domain}`)
    : problem(reason, 'See Troubleshooting in README.md.')
}
