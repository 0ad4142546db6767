/** At every boot and context change: context → plan → files. Starts no service; invalid input changes nothing. */

import { unknownNameNotes } from '../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../lib/appliance/context/variables.ts'
import type { Verifications } from '../lib/appliance/models/verification.ts'
import { modelServices, systemUsers, units } from '../lib/appliance/paths.ts'
import { planNotes } from '../lib/appliance/plan.ts'
import { ContextError } from '../lib/appliance/problems.ts'
import { companionKinds } from '../lib/appliance/requests/services.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { linkModels } from '../lib/steps/models/disk-models.ts'
import { readVerifications } from '../lib/steps/models/fetched-models.ts'
import { describeOwnModel } from '../lib/steps/models/own-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { checkCandidate } from '../lib/steps/services/nginx.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, type Change, type ManagedFile } from '../lib/system/managed-files.ts'
import { readState } from '../lib/system/state-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'
import { ensureSystemUsers } from '../lib/system/users.ts'
import { needsAttaching } from './attach-disks.ts'
import { decide, filesFor, readFacts, readRequest } from './configuration.ts'
import { clearReadiness } from './readiness.ts'

/**
 * Writes the files for the context and returns the outcome of each. Throws a ContextError if the context is
 * invalid. `verifications` decide whether a downloaded model is served.
 */
export async function configure(
  host: Host,
  verifications: Verifications = readVerifications(host),
): Promise<Change[]> {
  await clearReadiness(host)
  await restoreUsers(host)
  const diskNotes = await attachedDisks(host)
  const request = await readRequest(host).catch(error => {
    // Beside the problems, so that all can be fixed at once.
    if (error instanceof ContextError)
      for (const note of unknownNameNotes(host.env, variableNames)) host.log.warn(note)
    throw error
  })
  await describeOwnModel(host, request.ownModel)
  const facts = await readFacts(host, request)
  const decided = await decide(host, facts, verifications, diskNotes)
  await checkCandidate(host, decided.site, decided.tls.inUse.pair)
  for (const note of [...planNotes(decided.plan), ...decided.plan.hardware]) host.log.warn(note)
  const changes = await applyFiles(host, filesFor(host, facts, decided))
  if (changes.every(({ outcome }) => outcome === 'unchanged'))
    host.log.info('Nothing to change: all files are as this context requires.')
  await reloadUnits(host, writtenUnits)
  return changes
}

/** The files for the context as they should be, without writing any. Throws like `configure`. */
export async function desiredFiles(host: Host): Promise<ManagedFile[]> {
  const facts = await readFacts(host, await readRequest(host))
  return filesFor(host, facts, await decide(host, facts, readVerifications(host)))
}

/**
 * Has the disks attached by their own unit, which may mount. Returns notes. Throws if the disk with the state is
 * unusable.
 */
async function attachedDisks(host: Host): Promise<string[]> {
  if (await needsAttaching(host)) await host.$`systemctl start ${units.disks}`
  const disks = readState(host, stateFiles.disks)
  if (disks?.refusal !== undefined) throw new Error(disks.refusal)
  return [...(disks?.notes ?? []), ...linkModels(host, installedRelease(host))]
}

/** Creates users that somebody has removed. A rooted host has none yet. */
async function restoreUsers(host: Host): Promise<void> {
  if (host.files.status('/etc/passwd') !== undefined) await ensureSystemUsers(host, systemUsers)
}

const ownUnits = [
  'llama',
  'admission',
  'router',
  'backends',
  'floatingIp',
  'promptCache',
  'nginx',
  'certbot',
  'clock',
  'drain',
] as const

const writtenUnits = [
  ...ownUnits.map(name => units[name]),
  ...companionKinds.map(kind => modelServices[kind].unit),
]
