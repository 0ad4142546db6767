/** Puts another version in use: its files, its stages, its smoke test; and the one before again if that fails. */

import { paths } from '../lib/appliance/paths.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { type Version, versionNamed } from '../lib/appliance/upgrade/version.ts'
import { readCa } from '../lib/steps/tls/certificates.ts'
import { ownTrust } from '../lib/steps/tls/client-view.ts'
import { readPairInUse } from '../lib/steps/tls/installed-pairs.ts'
import { outageDuring } from '../lib/steps/upgrade/outage.ts'
import {
  executableOf,
  previousVersions,
  pruneVersions,
  releaseOf,
  switchFiles,
} from '../lib/steps/upgrade/versions.ts'
import type { Host } from '../lib/system/host.ts'
import { print } from '../lib/system/plain-text.ts'
import { tailOf } from '../lib/system/shell.ts'
import { readState, writeState } from '../lib/system/state-files.ts'

/**
 * Runs a stage of a version, as the framework would; it logs what it does. Throws with the first error that it
 * logged.
 */
async function run(host: Host, version: Version, args: string[]): Promise<void> {
  const errors: string[] = []
  const onLine = (line: string) => {
    print(`${line}\n`)
    const [, message] = / \[ERROR\] (\S.*)$/.exec(line) ?? []
    if (message !== undefined) errors.push(message)
  }
  const output = await host.$({ onLine })`${host.files.at(executableOf(version))} ${args}`.nothrow()
  if (output.exitCode === 0) return
  const [stage = ''] = args
  throw new Error(errors[0] ?? `${stage} ended with exit code ${output.exitCode}: ${tailOf(output)}`)
}

/** Installs what can be installed while another version serves. */
export const prepareVersion = (host: Host, version: Version) =>
  run(host, version, ['install', '--prepare', '--release', releaseOf(version)])

/** From one version to the other, or back. `from` must be kept, and `to` prepared. */
export async function replaceVersion(host: Host, from: Version, to: Version): Promise<void> {
  host.files.replaceLink(paths.fallbackVersion, from.id)
  writeState(host, stateFiles.upgrade, { from: from.id, to: to.id, startedAt: host.now().toISOString() })
  host.log.info(
    'Everything is prepared. llama-server is restarted, unless its files are the same in both versions.',
  )
  const trust = () => ownTrust(host, readPairInUse(host), readCa(host))
  let failure: Error | undefined
  const seconds = await outageDuring(host, trust, async () => {
    failure = await putInUse(host, to)
    if (failure !== undefined) await goBack(host, from, to, failure)
  })
  if (failure === undefined) host.files.replaceLink(paths.previousVersion, from.id)
  host.files.remove(paths.upgradeJournal)
  pruneVersions(host, failure === undefined ? [to, from] : [from, ...previousVersions(host)])
  host.log.info(`Clients were not served for ${seconds} s.`)
  if (failure === undefined) {
    host.log.info(
      `Version ${to.version} is in use. To go back to ${from.version}: slm-copilot upgrade --rollback`,
    )
    return
  }
  throw new Error(
    `Version ${to.version} failed, and ${from.version} is in use again. The reason: ${failure.message}`,
  )
}

/** Returns why the version could not be put in use. */
async function putInUse(host: Host, version: Version): Promise<Error | undefined> {
  try {
    await putInPlace(host, version)
    await serve(host, version)
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** The files of the version: executable, shim, llama.cpp, units. */
export async function putInPlace(host: Host, version: Version): Promise<void> {
  await switchFiles(host, version)
  await run(host, version, ['install', '--switch', '--release', releaseOf(version)])
  await host.$`systemctl daemon-reload`
}

/** What the framework runs at boot, and the whole smoke test. */
async function serve(host: Host, version: Version): Promise<void> {
  await run(host, version, ['configure', '--context-file', paths.contextFile])
  await run(host, version, ['bootstrap'])
  await host.$`systemctl start timers.target`
  await run(host, version, ['smoke-test'])
}

async function goBack(host: Host, from: Version, to: Version, failure: Error): Promise<void> {
  host.log.warn(`Version ${to.version} failed: going back to ${from.version}. ${failure.message}`)
  const problem = await putInUse(host, from)
  if (problem === undefined) return
  throw new Error(
    `Version ${to.version} failed, and so did going back to ${from.version}: ${problem.message}\nFix: free the disk, ` +
      'or whatever the message names, then reboot the VM: it goes back again.',
  )
}

/** Goes back to the version before an upgrade that was killed. */
export async function finishInterrupted(host: Host): Promise<void> {
  const journal = readState(host, stateFiles.upgrade)
  if (journal === undefined) return
  const from = versionNamed(journal.from)
  host.log.warn(`The upgrade of ${journal.startedAt} was interrupted: going back to ${from.version} first.`)
  await putInPlace(host, from)
  await serve(host, from)
  host.files.remove(paths.upgradeJournal)
}
