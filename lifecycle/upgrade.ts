/** Replaces the appliance's version by that of a signed release, or by the one before; goes back if that fails. */

import { paths } from '../lib/appliance/paths.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { downgradeProblem, versionNamed, versionOf } from '../lib/appliance/upgrade/version.ts'
import { unpack } from '../lib/steps/upgrade/archive.ts'
import {
  currentVersion,
  incoming,
  keepVersion,
  placeVersion,
  previousVersions,
  pruneVersions,
} from '../lib/steps/upgrade/versions.ts'
import type { Host } from '../lib/system/host.ts'
import { readState } from '../lib/system/state-files.ts'
import { finishInterrupted, prepareVersion, putInPlace, replaceVersion } from './replace-version.ts'
import { checkSpace, trustIn, type UpgradeSource } from './upgrade-source.ts'

/** Upgrades to the release. Throws if it may not be installed, and if it failed; then the version before is in use. */
export const upgrade = (host: Host, options: UpgradeSource): Promise<void> =>
  oneUpgrade(host, async () => {
    await finishInterrupted(host)
    requireContext(host)
    const trust = trustIn(host, options)
    const from = await currentVersion(host)
    // What a killed upgrade has unpacked may be of another release.
    pruneVersions(host, [from, ...previousVersions(host)])
    await checkSpace(host, options.source, from)
    host.files.makeFolder(paths.versions, 0o755)
    const unpacked = await unpack(host, options.source, host.files.at(incoming), trust)
    const to = versionOf(unpacked.manifest.version, unpacked.sha256)
    try {
      if (to.id === from.id) {
        host.log.info(`Version ${to.version} is installed already.`)
        return
      }
      const problem = downgradeProblem(from.version, to.version)
      if (problem !== undefined) throw new Error(problem)
      host.log.info(`Upgrading from ${from.version} to ${to.version}. The old version serves meanwhile.`)
      await keepVersion(host, from)
      await placeVersion(host, to, unpacked)
      await prepareVersion(host, to)
    } catch (error) {
      pruneVersions(host, [from, ...previousVersions(host)])
      throw error
    } finally {
      host.files.remove(incoming)
    }
    await replaceVersion(host, from, to)
  })

/** Goes back to the version before the last upgrade. */
export const rollback = (host: Host): Promise<void> =>
  oneUpgrade(host, async () => {
    await finishInterrupted(host)
    requireContext(host)
    const from = await currentVersion(host)
    const [to] = previousVersions(host)
    if (to === undefined || to.id === from.id)
      throw new Error('There is no previous version to go back to: nothing has been upgraded yet.')
    host.log.info(`Going back from ${from.version} to ${to.version}.`)
    await keepVersion(host, from)
    await prepareVersion(host, to)
    await replaceVersion(host, from, to)
  })

/**
 * After a reboot in the middle of an upgrade: the files of the version before are put in place. The framework runs its
 * stages next.
 */
export const resume = (host: Host): Promise<void> =>
  oneUpgrade(host, async () => {
    const journal = readState(host, stateFiles.upgrade)
    if (journal === undefined) return
    const from = versionNamed(journal.from)
    host.log.warn(
      `The upgrade of ${journal.startedAt} was interrupted: ${from.version} is put in place again.`,
    )
    await putInPlace(host, from)
    host.files.remove(paths.upgradeJournal)
  })

const oneUpgrade = (host: Host, act: () => Promise<void>): Promise<void> =>
  host.withLock(paths.upgradeLock, () => host.log.info('Waiting for another upgrade to finish'), act)

/** Without its context, configure would return every variable to its default. */
function requireContext(host: Host): void {
  if (host.files.status(paths.contextFile) === undefined)
    throw new Error(
      `${paths.contextFile} is missing: OpenNebula's context agent writes it at boot. Reboot the VM.`,
    )
}
