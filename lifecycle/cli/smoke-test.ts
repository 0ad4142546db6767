/** The smoke test as a command: against this appliance, or a remote one. */
import { ports } from '../../lib/appliance/paths.ts'
import { passwordInForce } from '../../lib/steps/password.ts'
import { smokeTest } from '../../lib/steps/services/smoke-test.ts'
import { recordedSmokeTest } from '../../lib/steps/services/smoke-test-record.ts'
import { readCa } from '../../lib/steps/tls/certificates.ts'
import { ownTrust } from '../../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../../lib/steps/tls/installed-pairs.ts'
import type { Host } from '../../lib/system/host.ts'
import type { InputFile } from '../../lib/system/input-files.ts'
import { UsageError } from './usage-error.ts'

export type SmokeTestOptions = {
  endpoint?: string | undefined
  ca?: InputFile | undefined
  keyFile?: InputFile | undefined
}

/** The key in a file. Throws if it is not valid; the error does not quote it. */
function keyFrom({ path, text }: InputFile): string {
  const key = text.trim()
  if (/^[\x21-\x7e]+$/.test(key)) return key
  throw new Error(`--key-file ${path} must hold the key and nothing else, on one line.`)
}

/** The CA in a file. Throws if there is none. */
function caFrom({ path, text }: InputFile): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new Error(`--ca ${path} is not a PEM certificate.`)
}

/** Runs the full smoke test. Throws at the first failed check. */
export async function runSmokeTest(host: Host, { endpoint, ca, keyFile }: SmokeTestOptions): Promise<void> {
  if (endpoint !== undefined && !/^https:\/\/[^/?#@]+(\/(v1\/?)?)?$/.test(endpoint))
    throw new UsageError(`--endpoint ${endpoint}: takes an https URL, e.g. https://copilot.example.com.`)
  const url = endpoint ?? `https://127.0.0.1:${ports.https}`
  const own =
    endpoint === undefined && ca === undefined ? await ownTrust(host, readPairInUse(host), readCa(host)) : {}
  if (endpoint !== undefined && keyFile === undefined)
    throw new UsageError('--endpoint needs --key-file FILE, a file that holds the key.')
  const key = keyFile === undefined ? passwordInForce(host) : keyFrom(keyFile)
  const given = ca === undefined ? {} : { ca: caFrom(ca) }
  const test = endpoint === undefined && process.getuid?.() === 0 ? recordedSmokeTest : smokeTest
  await test(host, { url, key, ...own, ...given }, 'full')
  host.log.info(`${url} is serving.`)
}
