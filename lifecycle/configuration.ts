/** Configure's facts, its decisions, and the files that follow from them, as values: nothing is written here. */

import { companionProblems } from '../lib/appliance/context/companions.ts'
import { type Context, parseContext } from '../lib/appliance/context/context.ts'
import { unknownNameNotes } from '../lib/appliance/context/unknown-names.ts'
import { variableNames } from '../lib/appliance/context/variables.ts'
import { ownModelIn, reusesPrompts } from '../lib/appliance/models/own-model.ts'
import { modelsOf } from '../lib/appliance/models/release.ts'
import type { Verifications } from '../lib/appliance/models/verification.ts'
import { endpointsOf, namesOf, type Reachable } from '../lib/appliance/names.ts'
import { cacheSharingOf } from '../lib/appliance/nginx/cache-sharing.ts'
import { paths } from '../lib/appliance/paths.ts'
import { severeNotes } from '../lib/appliance/sizing/hardware.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { orderOf } from '../lib/appliance/tls/lets-encrypt.ts'
import { floatingConfiguration } from '../lib/render/fleet/floating-ip.ts'
import { fleetModels } from '../lib/render/fleet/models.ts'
import { nginxFiles, routerFiles } from '../lib/render/nginx/files.ts'
import { siteFor } from '../lib/render/nginx/site.ts'
import { clockFiles } from '../lib/render/units/clock.ts'
import { companionFiles, companionUnits } from '../lib/render/units/companions.ts'
import { drainUnit } from '../lib/render/units/drain.ts'
import { llamaFiles } from '../lib/render/units/llama-files.ts'
import { securityUpdateFiles } from '../lib/render/units/security-updates.ts'
import { syslogFiles } from '../lib/render/units/syslog.ts'
import { knownCopilots } from '../lib/steps/fleet/known.ts'
import { timerLink } from '../lib/steps/fleet/router.ts'
import { recordedOwnModel, releaseWithOwnModels } from '../lib/steps/models/own-models.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import { decidePassword, passwordFiles, passwordNotes, readPassword } from '../lib/steps/password.ts'
import { planFile } from '../lib/steps/plan.ts'
import { placeFloating } from '../lib/steps/services/floating-ip.ts'
import { readNginxVersion } from '../lib/steps/services/nginx.ts'
import { landingPageFor } from '../lib/steps/tls/client-view.ts'
import { readClock, timeSources } from '../lib/steps/tls/clock.ts'
import { readTlsFacts, wantedByContext } from '../lib/steps/tls/facts.ts'
import { acmeFiles } from '../lib/steps/tls/lets-encrypt.ts'
import { suppliedPairProblems } from '../lib/steps/tls/supplied-pair.ts'
import { prepareTls, tlsFiles } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import { exposureNotes, type ManagedFile } from '../lib/system/managed-files.ts'
import { readState } from '../lib/system/state-files.ts'
import { disksLink } from './attach-disks.ts'
import { roleOf } from './role.ts'

/** What is asked of this VM. Throws a ContextError if the context is invalid. */
export async function readRequest(host: Host) {
  const installed = installedRelease(host)
  const clock = await readClock(host)
  const judgePair = suppliedPairProblems(clock)
  const context = parseContext(host.env, modelsOf(installed), installed.model, given => [
    ...judgePair(given),
    ...companionProblems(given, installed.companions),
  ])
  return { clock, context, ownModel: context.role === 'router' ? undefined : ownModelIn(context) }
}

/** What is asked, what this machine is, and what is installed. */
export async function readFacts(host: Host, request: Awaited<ReturnType<typeof readRequest>>) {
  const { clock, context, ownModel } = request
  const found = host.facts()
  // The floating ones come and go.
  const addresses = found.addresses.filter(address => !context.floatingAddresses.includes(address))
  const machine = { ...found, addresses, shortage: readState(host, stateFiles.shortage) }
  const names = namesOf(machine, context.domain)
  return {
    clock,
    context,
    machine,
    release: releaseWithOwnModels(host),
    own: ownModel && recordedOwnModel(host, ownModel),
    tls: await readTlsFacts(host, clock, wantedByContext(context, names)),
    nginxVersion: await readNginxVersion(host),
  }
}

type ConfigureFacts = Awaited<ReturnType<typeof readFacts>>

/** What is served, how it is reached, and what the administrator should know about it. */
export async function decide(
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
  const floating = placeFloating(context.floatingAddresses, machine.networks)
  const notes = [
    ...(context.role === 'router' ? [] : severeNotes(machine)),
    ...unknownNameNotes(host.env, variableNames),
    ...passwordNotes(password),
    ...ownNotes,
    ...floating.notes,
    ...diskNotes,
    ...exposureNotes(host, secrets),
    ...tls.notes,
  ]
  const plan = planWith({
    endpoints: endpointsOf(machine, context.domain, context.floatingAddresses),
    notes,
    hardware,
    cacheSharing: cacheSharingOf(context),
    order: orderOf(context),
  })
  return { capacity, secrets, tls, site, plan, floating: floating.addresses }
}

type Decided = Awaited<ReturnType<typeof decide>>

/** The files in the order in which they are written: last those by which a service is reached. */
export const filesFor = (
  host: Host,
  { context, machine }: ConfigureFacts,
  { capacity, secrets, tls, site, plan, floating }: Decided,
): ManagedFile[] => [
  addressesFile(machine, context),
  ...settingsFolders,
  ...secrets,
  ...acmeFiles(context),
  ...clockFiles(timeSources(host, context.ntpServers)),
  ...securityUpdateFiles(context.unattendedUpgrades),
  ...drainUnit(context.drainLimit),
  ...syslogFiles(context),
  floatingConfiguration(floating),
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

/**
 * The addresses that this configuration is for: a timer has the stages run again once the VM has others. Written
 * first, so that stages which fail with these addresses are not run again and again. Whether it has the floating ones
 * makes no difference.
 */
const addressesFile = (
  { addresses }: Pick<Reachable, 'addresses'>,
  { floatingAddresses }: Pick<Context, 'floatingAddresses'>,
) => ({
  path: paths.addresses,
  mode: 0o644,
  text: [...addresses, ...floatingAddresses.map(address => `floating ${address}`)]
    .map(line => `${line}\n`)
    .join(''),
})

/** Readable by root only: `backends sync` presents it to the copilots that the context names. */
const fleetKeyFile = (key = '') => ({ path: paths.fleetKey, mode: 0o600, text: `${key}\n` })

const settingsFolders = [
  { path: paths.state, mode: 0o700, folder: true },
  { path: paths.settings, mode: 0o750, folder: true },
] as const
