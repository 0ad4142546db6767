/**
 * Certificates from an ACME server, by certbot while nginx serves the challenges. Failures are returned, not
 * thrown.
 */
import type { Context } from '../../appliance/context/context.ts'
import { certificateFiles, paths } from '../../appliance/paths.ts'
import { stateFiles } from '../../appliance/state-files.ts'
import {
  type AcmeDecision,
  type AcmeFacts,
  type Attempt,
  attemptTimeout,
  issuerOf,
  type ObtainedPair,
  type Order,
  orderName,
  orderOf,
} from '../../appliance/tls/lets-encrypt.ts'
import { certbotDropIn, deployHook } from '../../render/tls/lets-encrypt.ts'
import type { Host } from '../../system/host.ts'
import type { ManagedFile } from '../../system/managed-files.ts'
import type { Output } from '../../system/shell.ts'
import { readState, writeState } from '../../system/state-files.ts'
import { certificateOf, certificatesIn, covers, datesOf } from '../../system/x509.ts'

/** Where certbot keeps an order's files. */
const liveFolder = (order: Order) => `${paths.certbot}/live/${orderName(order)}`
const archiveFolder = (order: Order) => `${paths.certbot}/archive/${orderName(order)}`
const renewalFile = (order: Order) => `${paths.certbot}/renewal/${orderName(order)}.conf`

/** The pair obtained for an order. The link to it is relative, so that it also works under another root. */
function readObtained(host: Host, order: Order): ObtainedPair | undefined {
  const certificate = host.files.read(`${liveFolder(order)}/${certificateFiles.chain}`)
  const key = host.files.read(`${liveFolder(order)}/${certificateFiles.key}`)
  if (certificate === undefined || key === undefined) return undefined
  const leaf = certificateOf({ certificate, key })
  if (leaf === undefined) return undefined
  const pair = { certificate, key }
  const target = `../../letsencrypt/live/${orderName(order)}`
  return { mode: 'acme', target, pair, dates: datesOf(leaf), isForDomain: covers(leaf, order.domain) }
}

/** The state of an order: its pair, and the last failed attempt. */
export const readAcme = (host: Host, order: Order): AcmeFacts => ({
  order,
  obtained: readObtained(host, order),
  boot: host.files.read(paths.bootId)?.trim() ?? '',
  last: readLast(host, order),
})

/** An unreadable file does not fail the stage: the VM's own certificate is used instead. */
function readLast(host: Host, { domain }: Order): AcmeFacts['last'] {
  try {
    return readAttempts(host)[domain]
  } catch (error) {
    return { unreadable: (error as Error).message }
  }
}

/** certbot's drop-in and deploy hook for renewals, and the CA of a private ACME server. */
export const acmeFiles = (context: Context): ManagedFile[] => [
  acmeCaFile(context),
  certbotDropIn(orderOf(context)),
  deployHook(),
]

const acmeCaFile = ({ acmeCa }: Context): ManagedFile =>
  acmeCa === undefined
    ? { path: paths.acmeCa, absent: true }
    : { path: paths.acmeCa, mode: 0o644, text: certificatesIn(acmeCa).join('') }

const readAttempts = (host: Host): Record<string, Attempt> => readState(host, stateFiles.attempts) ?? {}

/** Records a failed attempt; without one, removes the record. */
function recordAttempt(host: Host, { domain }: Order, attempt: Attempt | undefined): void {
  const { [domain]: _, ...others } = readAttempts(host)
  const attempts = attempt === undefined ? others : { ...others, [domain]: attempt }
  writeState(host, stateFiles.attempts, attempts)
}

/**
 * Requests a certificate if one is due, and records the outcome for the next decision. Takes at most
 * `attemptTimeout` seconds and throws nothing; returns notes for the report on failures that it could not
 * record.
 */
export async function requestIfDue(host: Host, decision: AcmeDecision): Promise<string[]> {
  if (decision.state !== 'due') return []
  const { order } = decision
  try {
    await attemptOnce(host, decision)
    return []
  } catch (error) {
    return [`No certificate from ${issuerOf(order)} for ${order.domain}: ${(error as Error).message}`]
  }
}

async function attemptOnce(host: Host, { order, boot, attempt: failures }: AcmeDecision & { state: 'due' }) {
  const attempt = { boot, at: host.now().toISOString(), failures, reason: 'The attempt was interrupted.' }
  // Recorded in advance, so that an attempt cut off by a kill or a power failure counts.
  recordAttempt(host, order, attempt)
  const what = `request a certificate for ${order.domain} from ${issuerOf(order)}`
  const reason = await host.perform(what, () => request(host, order))
  recordAttempt(host, order, reason === undefined ? undefined : { ...attempt, reason })
}

/** Runs certbot. Returns why there is no certificate; undefined on success. */
async function request(host: Host, order: Order): Promise<string | undefined> {
  host.log.info(`Requesting a certificate for ${order.domain} from ${issuerOf(order)}`)
  // Leftovers of a killed certbot would make this one fail ("live directory exists").
  for (const path of [liveFolder(order), archiveFolder(order), renewalFile(order)]) host.files.remove(path)
  // A variable of Python's requests library: the only way to make certbot trust another CA.
  const env = order.hasCa ? { REQUESTS_CA_BUNDLE: host.files.at(paths.acmeCa) } : {}
  const certbot = host.$({ env })`timeout --kill-after=10 ${attemptTimeout} ${certbotCommand(host, order)}`
  const output = await certbot.nothrow()
  if (output.exitCode !== 0) return reasonOf(output)
  return readObtained(host, order)?.isForDomain
    ? undefined
    : `The certificate that was issued is not for ${order.domain}.`
}

/** certbot(1). */
const certbotCommand = (host: Host, order: Order) => [
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

/** The most informative line of certbot's output: the server's own explanation, else the last line. */
function reasonOf({ exitCode, stdout, stderr }: Output): string {
  if (exitCode === 124) return `certbot timed out after ${attemptTimeout} s.`
  if (exitCode > 128) return `certbot was killed by signal ${exitCode - 128}.`
  const lines = `${stdout}\n${stderr}`
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !/^(Ask for help|See the logfile|Saving debug log)/.test(line))
  const message = lines.find(line => line.startsWith('Detail:'))?.slice('Detail:'.length) ?? lines.at(-1)
  const short = (message ?? `certbot exited with code ${exitCode}`).trim().slice(0, 300)
  return /[.!]$/.test(short) ? short : `${short}.`
}
