/** Certificates from an ACME server, by certbot while nginx serves its challenges; a failure is a value, told in the report. */
import type { X509Certificate } from 'node:crypto'
import type { Context } from '../../appliance/context/context.ts'
import { certificateFiles, paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import type { InstalledPair } from '../../appliance/tls/certificates.ts'
import { type Clock, isCredible } from '../../appliance/tls/clock.ts'
import {
  type Attempt,
  attemptNote,
  attemptTimeout,
  isDue,
  issuerOf,
  type Order,
  orderName,
} from '../../appliance/tls/lets-encrypt.ts'
import { CommandError } from '../../system/commands.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { certificateOf, covers } from '../../system/x509.ts'

/** An order's place in certbot's folders. */
const liveFolder = (order: Order) => `${paths.certbot}/live/${orderName(order)}`
const archiveFolder = (order: Order) => `${paths.certbot}/archive/${orderName(order)}`
const renewalFile = (order: Order) => `${paths.certbot}/renewal/${orderName(order)}.conf`

/** By a clock that cannot be right a certificate counts as valid. */
const isInForce = ({ validFromDate, validToDate }: X509Certificate, clock: Clock) =>
  !isCredible(clock) || (validFromDate <= clock.now && clock.now < validToDate)

/**
 * The pair that an order has brought, while it is valid: by the present time, since it may have come after the clock was
 * read. Linked to relatively, so that it holds under another root.
 */
export function readObtained(host: Host, order: Order | undefined, clock: Clock): InstalledPair | undefined {
  if (order === undefined) return undefined
  const certificate = host.files.read(`${liveFolder(order)}/${certificateFiles.chain}`)
  const key = host.files.read(`${liveFolder(order)}/${certificateFiles.key}`)
  if (certificate === undefined || key === undefined) return undefined
  const leaf = certificateOf({ certificate, key })
  if (leaf === undefined || !isInForce(leaf, { ...clock, now: host.now() }) || !covers(leaf, order.domain))
    return undefined
  return { mode: 'acme', target: `../../letsencrypt/live/${orderName(order)}`, pair: { certificate, key } }
}

/** The CA of a private ACME server, for certbot to trust. */
export const acmeCaFile = ({ acmeCa }: Context): ManagedFile =>
  acmeCa === undefined
    ? { path: paths.acmeCa, absent: true }
    : { path: paths.acmeCa, mode: 0o644, text: acmeCa }

const readAttempts = (host: Host): Record<string, Attempt> => readState(host, stateFiles.attempts) ?? {}

/** Remembers an attempt, or, without one, that none has failed. */
function recordAttempt(host: Host, { domain }: Order, attempt: Attempt | undefined): void {
  const { [domain]: _, ...others } = readAttempts(host)
  const attempts = attempt === undefined ? others : { ...others, [domain]: attempt }
  writeState(host, stateFiles.attempts, attempts)
}

/**
 * Asks the server for the order's pair if it is due. Returns what to say when there is none in the end; nothing
 * slower than `attemptTimeout`, and nothing thrown: the private certificate serves.
 */
export async function obtain(host: Host, order: Order | undefined, clock: Clock): Promise<string[]> {
  if (order === undefined || readObtained(host, order, clock) !== undefined) return []
  if (!isCredible(clock))
    return [
      `No certificate is asked for by a clock that cannot be right: it says ${clock.now.toISOString()}.`,
    ]
  try {
    const last = await attemptIfDue(host, order, clock)
    return last === undefined ? [] : [attemptNote(order, last)]
  } catch (error) {
    return [`No certificate from ${issuerOf(order)} for ${order.domain}: ${(error as Error).message}`]
  }
}

/** The attempt that stands between us and a certificate; undefined when one has come. */
async function attemptIfDue(host: Host, order: Order, clock: Clock): Promise<Attempt | undefined> {
  const last = readAttempts(host)[order.domain]
  const boot = host.files.read(paths.bootId)?.trim() ?? ''
  if (!isDue(last, boot, host.now())) return last

  host.log.info(`Asking ${issuerOf(order)} for a certificate for ${order.domain}`)
  const failures = (last?.failures ?? 0) + 1
  const attempt = { boot, at: host.now().toISOString(), failures, reason: 'The attempt was interrupted.' }
  // Before it is made: one that is killed, or ends with the machine's power, counts.
  recordAttempt(host, order, attempt)
  const reason = await askServer(host, order, clock)
  if (host.isDryRun) return undefined
  const failed = reason === undefined ? undefined : { ...attempt, reason }
  recordAttempt(host, order, failed)
  return failed
}

/** Runs certbot. Returns why there is no certificate, if there is none. */
async function askServer(host: Host, order: Order, clock: Clock): Promise<string | undefined> {
  // What a certbot that was killed has left would make this one fail ("live directory exists").
  for (const path of [liveFolder(order), archiveFolder(order), renewalFile(order)]) host.files.remove(path)
  try {
    await host.run(certbotCommand(host, order))
  } catch (error) {
    return error instanceof CommandError ? reasonOf(error) : (error as Error).message
  }
  const isThere = readObtained(host, order, clock) !== undefined
  return isThere ? undefined : 'What came is no valid pair for it.'
}

/** certbot(1), within timeout(1), in an environment of its own (requests: REQUESTS_CA_BUNDLE). */
const certbotCommand = (host: Host, order: Order) => [
  'env',
  ...(order.hasCa ? [`REQUESTS_CA_BUNDLE=${host.files.at(paths.acmeCa)}`] : []),
  'timeout',
  '--kill-after=10',
  String(attemptTimeout),
  'certbot',
  'certonly',
  '--non-interactive',
  '--agree-tos',
  ...(order.email === undefined
    ? ['--register-unsafely-without-email']
    : ['--email', order.email, '--no-eff-email']),
  ...['--server', order.server],
  ...['--cert-name', orderName(order), '--domain', order.domain],
  ...['--webroot', '--webroot-path', host.files.at(paths.acme)],
  ...['--config-dir', host.files.at(paths.certbot)],
  ...['--work-dir', host.files.at(paths.certbotWork)],
  ...['--logs-dir', host.files.at(paths.certbotLogs)],
]

/** The sentence of certbot's that tells an administrator most: the server's own, else the last that it ends with. */
function reasonOf({ answer }: CommandError): string {
  if (answer.code === 124) return `no certificate within ${attemptTimeout} s.`
  if (answer.code > 128) return `certbot was killed by signal ${answer.code - 128}.`
  const lines = `${answer.stdout}\n${answer.stderr}`
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !/^(Ask for help|See the logfile|Saving debug log)/.test(line))
  const said = lines.find(line => line.startsWith('Detail:'))?.slice('Detail:'.length) ?? lines.at(-1)
  const short = (said ?? `certbot ended with ${answer.code}`).trim().slice(0, 300)
  return /[.!]$/.test(short) ? short : `${short}.`
}
