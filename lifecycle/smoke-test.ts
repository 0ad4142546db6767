/** The smoke test as a command: against this appliance, or a remote one. */
import { ports } from '../lib/appliance/paths.ts'
import { readCa } from '../lib/steps/certificate.ts'
import { passwordInForce } from '../lib/steps/password.ts'
import { readServed, trustIn } from '../lib/steps/served-certificate.ts'
import { smokeTest } from '../lib/steps/smoke-test.ts'
import type { Host } from '../lib/system/host.ts'

export type SmokeTestOptions = {
  endpoint?: string | undefined
  ca?: string | undefined
  keyFile?: string | undefined
}

/** The text of a file that an option names. Throws when there is none. */
function fileOf(host: Host, option: string, path: string): string {
  const text = host.files.read(path)
  if (text === undefined) throw new Error(`${option} ${path}: there is no such file`)
  return text
}

/** Runs the whole smoke test. Throws at the first check that fails. */
export async function runSmokeTest(host: Host, { endpoint, ca, keyFile }: SmokeTestOptions): Promise<void> {
  const url = endpoint ?? `https://127.0.0.1:${ports.https}`
  const own = endpoint === undefined && ca === undefined ? trustIn(readServed(host), readCa(host)) : {}
  if (endpoint !== undefined && keyFile === undefined)
    throw new Error('--endpoint needs --key-file FILE, a file that holds the key')
  const key = keyFile === undefined ? passwordInForce(host) : fileOf(host, '--key-file', keyFile).trim()
  const given = ca === undefined ? {} : { ca: fileOf(host, '--ca', ca) }
  await smokeTest(host, { url, key, ...own, ...given }, 'full')
  host.log.info(`${url} serves.`)
}
