/** At every boot and context change: context → plan → files. Starts no service; invalid input changes nothing. */

import { companionProblems } from '../lib/appliance/context/companions.ts'
import { parseContext } from '../lib/appliance/context/context.ts'
import { unknownNameNotes } from '../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../lib/appliance/context/variables.ts'
import { ownModelIn, reusesPrompts } from '../lib/appliance/models/own-model.ts'
import { modelsOf } from '../lib/appliance/models/release.ts'
import type { Verifications } from '../lib/appliance/models/verification.ts'
import { endpointsOf, namesOf, type Reachable } from '../lib/appliance/names.ts'
import { cacheSharingOf } from '../lib/appliance/nginx/cache-sharing.ts'
import { modelServices, paths, systemUsers, units } from '../lib/appliance/paths.ts'
import { planNotes } from '../lib/appliance/plan.ts'
import { companionKinds } from '../lib/appliance/requests/services.ts'
import { severeNotes } from '../lib/appliance/sizing/hardware.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { orderOf } from '../lib/appliance/tls/lets-encrypt.ts'
import { fleetModels } from '../lib/render/fleet/models.ts'
import { nginxFiles, routerFiles, siteFor } from '../lib/render/nginx/files.ts'
import { clockFiles } from '../lib/render/units/clock.ts'
import { companionFiles, companionUnits } from '../lib/render/units/companions.ts'
import { drainUnit } from '../lib/render/units/drain.ts'
import { llamaFiles } from '../lib/render/units/llama-files.ts'
import { securityUpdateFiles } from '../lib/render/units/security-updates.ts'
import { syslogFiles } from '../lib/render/units/syslog.ts'
import { knownCopilots } from '../lib/steps/fleet/known.ts'
import { timerLink } from '../lib/steps/fleet/router.ts'
import { linkModels } from '../lib/steps/models/disk-models.ts'
import { readVerifications } from '../lib/steps/models/fetched-models.ts'
import { describeOwnModel, recordedOwnModel, releaseWithOwnModels } from '../lib/steps/models/own-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { decidePassword, passwordFiles, passwordNotes, readPassword } from '../lib/steps/password.ts'
import { planFile } from '../lib/steps/plan.ts'
import { checkCandidate, readNginxVersion } from '../lib/steps/services/nginx.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readClock, timeSources } from '../lib/steps/tls/clock.ts'
import { readTlsFacts, wantedByContext } from '../lib/steps/tls/facts.ts'
import { acmeFiles } from '../lib/steps/tls/lets-encrypt.ts'
import { suppliedPairProblems } from '../lib/steps/tls/supplied-pair.ts'
import { prepareTls, tlsFiles } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles, type Change, exposureNotes, type ManagedFile } from '../lib/system/managed-files.ts'
import { readState } from '../lib/system/state-files.ts'
import { reloadUnits } from '../lib/system/systemd.ts'
import { ensureSystemUsers } from '../lib/system/users.ts'
import { disksLink, needsAttaching } from './attach-disks.ts'
import { clearReadiness } from './readiness.ts'
import { roleOf } from './role.ts'

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
  const facts = await readFacts(host, describeOwnModel)
  const decided = await decide(host, facts, verifications, diskNotes)
  await checkCandidate(host, decided.site, decided.tls.inUse.pair)
  for (const note of [...planNotes(decided.plan), ...decided.plan.hardware]) host.log.warn(note)
  const changes = await applyFiles(host, filesFor(host, facts, decided))
  if (changes.every(({ outcome }) => outcome === 'unchanged'))
    host.log.info('Nothing to change: all files are as this context wants them.')
  await reloadUnits(host, writtenUnits)
  return changes
}

/** By a unit, which may mount. Throws if the VM's state is on a disk that cannot be used. Returns notes. */
async function attachedDisks(host: Host): Promise<string[]> {
  if (await needsAttaching(host)) await host.$`systemctl start ${units.disks}`
  const disks = readState(host, stateFiles.disks)
  if (disks?.refusal !== undefined) throw new Error(disks.refusal)
  return [...(disks?.notes ?? []), ...linkModels(host, installedRelease(host))]
}

/** Somebody may have removed them. A rooted host has no users yet. */
async function restoreUsers(host: Host): Promise<void> {
  if (host.files.status('/etc/passwd') !== undefined) await ensureSystemUsers(host, systemUsers)
}

/** The files for the context as they should be, without writing any. Throws like `configure`. */
export async function desiredFiles(host: Host): Promise<ManagedFile[]> {
  const facts = await readFacts(host)
  return filesFor(host, facts, await decide(host, facts, readVerifications(host)))
}

/** What this machine is, what was asked of it, and what is installed. `describe`: reads the header of a model by URL. */
async function readFacts(host: Host, describe?: typeof describeOwnModel) {
  const installed = installedRelease(host)
  const clock = await readClock(host)
  const judgePair = suppliedPairProblems(clock)
  const context = parseContext(host.env, modelsOf(installed), installed.model, given => [
    ...judgePair(given),
    ...companionProblems(given, installed.companions),
  ])
  const wanted = context.role === 'router' ? undefined : ownModelIn(context)
  await describe?.(host, wanted)
  const own = wanted && recordedOwnModel(host, wanted)
  const release = releaseWithOwnModels(host)
  const machine = { ...host.facts(), shortage: readState(host, stateFiles.shortage) }
  const names = namesOf(machine, context.domain)
  const tls = await readTlsFacts(host, clock, wantedByContext(context, names))
  return { release, own, clock, context, machine, tls, nginxVersion: await readNginxVersion(host) }
}

type ConfigureFacts = Awaited<ReturnType<typeof readFacts>>

/** What is served, how it is reached, and what the administrator should know about it. */
async function decide(
  host: Host,
  facts: ConfigureFacts,
  verifications: Verifications,
  diskNotes: string[] = [],
) {
  const { clock, context, machine, nginxVersion } = facts
  const role = roleOf(host, facts, verifications)
  const { capacity, models, companions, notes: ownNotes, hardware, plan: planWith } = role
  const password = decidePassword(readPassword(host), context.password, clock.now, host.random)
  const tls = await prepareTls(facts.tls)
  const site = siteFor({ context, password, capacity, models, companions, machine, nginxVersion })
  const secrets = [...passwordFiles(password), ...tlsFiles(host, tls)]
  const notes = [
    ...(context.role === 'router' ? [] : severeNotes(machine)),
    ...unknownNameNotes(host.env, variableNames),
    ...passwordNotes(password),
    ...ownNotes,
    ...diskNotes,
    ...exposureNotes(host, secrets),
    ...tls.notes,
  ]
  const plan = planWith({
    endpoints: endpointsOf(machine, context.domain),
    notes,
    hardware,
    cacheSharing: cacheSharingOf(context),
    order: orderOf(context),
  })
  return { capacity, secrets, tls, site, plan }
}

type Decided = Awaited<ReturnType<typeof decide>>

/** The files, in the order in which they are written: what a service enters by comes last. */
const filesFor = (
  host: Host,
  { context, machine }: ConfigureFacts,
  { capacity, secrets, tls, site, plan }: Decided,
): ManagedFile[] => [
  addressesFile(machine),
  ...settingsFolders,
  ...secrets,
  ...acmeFiles(context),
  ...clockFiles(timeSources(host, context.ntpServers)),
  ...securityUpdateFiles(context.unattendedUpgrades),
  ...drainUnit(context.drainLimit),
  ...syslogFiles(context),
  planFile(plan),
  timerLink(plan),
  disksLink(host),
  landingPageFor(plan, tls, knownCopilots(host)),
  ...companionUnits(),
  ...companionFiles(plan.companions),
  ...(plan.state === 'routing'
    ? [fleetKeyFile(context.fleetKey), fleetModels(knownCopilots(host)), ...routerFiles(site)]
    : [
        ...llamaFiles(capacity, {
          persistsPromptCache: context.persistPromptCache,
          reusesPrompts: reusesPrompts(capacity.model, site.cacheSharing),
        }),
        ...nginxFiles(site, capacity),
        { path: paths.fleetKey, absent: true } as const,
      ]),
]

/** By which a timer notices that the addresses have changed since. Before the rest: if that fails, it is not tried again. */
const addressesFile = ({ addresses }: Pick<Reachable, 'addresses'>) => ({
  path: paths.addresses,
  mode: 0o644,
  text: addresses.map(address => `${address}\n`).join(''),
})

/** Readable by root only: `backends sync` asks named copilots with it. */
const fleetKeyFile = (key = '') => ({ path: paths.fleetKey, mode: 0o600, text: `${key}\n` })

const settingsFolders = [
  { path: paths.state, mode: 0o700, folder: true },
  { path: paths.settings, mode: 0o750, folder: true },
] as const

const ownUnits = [
  'llama',
  'admission',
  'router',
  'backends',
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
