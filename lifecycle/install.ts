/** At bake time: packages, llama-server, model, units. The bake succeeds only if llama-server answers. */

import { modelsOf, type Release } from '../lib/appliance/models/release.ts'
import { packages } from '../lib/appliance/packages.ts'
import { paths, systemUsers, units } from '../lib/appliance/paths.ts'
import { defaultDrainLimit } from '../lib/appliance/services/drain.ts'
import { planCapacity } from '../lib/appliance/sizing/capacity.ts'
import { companionCapacity } from '../lib/appliance/sizing/companions.ts'
import { floatingIpUnit } from '../lib/render/fleet/floating-ip.ts'
import { routerUnit } from '../lib/render/fleet/haproxy.ts'
import { chatTemplateFiles } from '../lib/render/models/chat-template/files.ts'
import { connectionLimit } from '../lib/render/nginx/connection-limit.ts'
import { admissionUnit } from '../lib/render/units/admission.ts'
import { backendsUnits } from '../lib/render/units/backends.ts'
import { chronyConfiguration, chronyDropIn, clockEpoch } from '../lib/render/units/clock.ts'
import { companionSettings, companionUnits } from '../lib/render/units/companions.ts'
import { disksUnits } from '../lib/render/units/disks.ts'
import { drainUnit } from '../lib/render/units/drain.ts'
import { companionFetchUnit, modelUnit } from '../lib/render/units/fetch-model.ts'
import { llamaSettings, llamaUnit } from '../lib/render/units/llama.ts'
import { hourlyRotation, journalLimits, logFiles, logRotation } from '../lib/render/units/log-rotation.ts'
import { metricsUnits } from '../lib/render/units/metrics.ts'
import { nginxDropIn } from '../lib/render/units/nginx.ts'
import { packageUpgradeFiles } from '../lib/render/units/package-upgrades.ts'
import { readinessUnits } from '../lib/render/units/readiness.ts'
import { reconfigureUnits } from '../lib/render/units/reconfigure.ts'
import { renewalUnits } from '../lib/render/units/renewal.ts'
import { securityUpdateFiles } from '../lib/render/units/security-updates.ts'
import { debianSyslog, syslogUnit } from '../lib/render/units/syslog.ts'
import { upgradeUnits } from '../lib/render/units/upgrade.ts'
import { watchdogUnits } from '../lib/render/units/watchdog.ts'
import { withOwnGeometry } from '../lib/steps/models/header.ts'
import { checkSettings, prewarm } from '../lib/steps/models/prewarm.ts'
import { chooseRelease, installLlamaCpp, installModels, releaseFile } from '../lib/steps/models/release.ts'
import { installPackages } from '../lib/system/apt.ts'
import type { Host } from '../lib/system/host.ts'
import type { InputFile } from '../lib/system/input-files.ts'
import { applyFiles, type ManagedFile } from '../lib/system/managed-files.ts'
import { disableUnit } from '../lib/system/systemd.ts'
import { ensureSystemUsers } from '../lib/system/users.ts'

const folders: ManagedFile[] = [
  { path: paths.settings, mode: 0o750, folder: true },
  { path: paths.state, mode: 0o700, folder: true },
  { path: paths.tls, mode: 0o755, folder: true },
  { path: paths.acme, mode: 0o755, folder: true },
]

/**
 * Installs the release in the given file, or the production release, downloaded from a mirror if one is given. A second
 * run changes nothing.
 */
export async function install(host: Host, named: InputFile | undefined, mirror?: string): Promise<void> {
  const chosen = chooseRelease(named)
  await installParts(host, chosen, mirror)
  const release = await describedRelease(host, chosen)
  const changes = await applyFiles(host, releaseFiles(host, release))

  if (changes.every(({ outcome }) => outcome === 'unchanged')) return
  // Before the first boot, where each one would make systemd read all units again; until configured they do not start.
  await host.$`systemctl enable --quiet --no-reload ${[units.llama, units.admission]}`
  await host.perform('have llama-server load the model and answer', () => tryOut(host, release))
}

/**
 * For an upgrade, while another version serves: all that does not change what that one uses, and that can be
 * checked.
 */
export async function prepareInstall(host: Host, named: InputFile | undefined): Promise<void> {
  const chosen = chooseRelease(named)
  await installParts(host, chosen)
  const { tag } = chosen.llamaCpp
  await host.perform('check the settings of llama-server', async () =>
    checkOwnSettings(host, await describedRelease(host, chosen), `${paths.releases}/${tag}/llama-server`),
  )
}

/** For an upgrade, once that is done: the files of the release. Whether they work is up to the smoke test. */
export async function switchInstall(host: Host, named: InputFile | undefined): Promise<void> {
  const release = await describedRelease(host, chooseRelease(named))
  await applyFiles(host, releaseFiles(host, release))
}

/** Packages, users, folders, llama.cpp and models. */
async function installParts(host: Host, release: Release, mirror?: string): Promise<void> {
  // Before the package that would start it.
  await applyFiles(host, [debianSyslog()])
  await installPackages(host, packages)
  await ensureSystemUsers(host, systemUsers)
  await disableUnit(host, units.haproxy)
  await disableUnit(host, units.keepalived)
  await applyFiles(host, [...folders, { path: paths.defaultSite, absent: true }])
  await installLlamaCpp(host, release, mirror)
  await installModels(host, release, mirror)
}

const describedRelease = async (host: Host, chosen: Release): Promise<Release> => ({
  ...chosen,
  model: await withOwnGeometry(host, chosen.model),
})

/** The files that depend on the release and not on the context. */
export const releaseFiles = (host: Host, release: Release): ManagedFile[] => [
  { path: paths.command, link: paths.executable },
  { path: paths.llamaCurrent, link: release.llamaCpp.tag },
  releaseFile(release),
  logRotation(),
  hourlyRotation(),
  journalLimits(),
  logFiles(),
  syslogUnit(),
  // No time sources until configure sets them; if install is run again, those are kept.
  ...(host.files.status(paths.chronyDropIn) === undefined
    ? [chronyConfiguration({ servers: [], byDhcp: [], hypervisorClock: undefined })]
    : []),
  chronyDropIn(),
  ...(host.files.status(paths.securityUpdates) === undefined ? securityUpdateFiles(false) : []),
  clockEpoch(),
  ...chatTemplateFiles(),
  // If install is run on an appliance that persists the prompt cache, that is kept.
  llamaUnit({ persistsPromptCache: host.files.status(paths.promptCacheUnit) !== undefined }),
  admissionUnit(),
  connectionLimit(),
  nginxDropIn(),
  ...packageUpgradeFiles(),
  ...renewalUnits(),
  ...metricsUnits(),
  ...watchdogUnits(),
  ...upgradeUnits(),
  ...readinessUnits(),
  // The limit is configure's; if install is run again, it is kept.
  ...(host.files.status(paths.drainService) === undefined ? drainUnit(defaultDrainLimit) : []),
  ...reconfigureUnits(),
  ...disksUnits(),
  modelUnit(),
  companionFetchUnit(),
  ...companionUnits(),
  routerUnit(),
  ...floatingIpUnit(),
  ...backendsUnits(),
]

/** Throws if llama-server does not support one of our settings, or does not answer. */
async function tryOut(host: Host, release: Release): Promise<void> {
  await checkOwnSettings(host, release)
  await prewarm(host, smallCapacity(host, release))
}

const smallCapacity = (host: Host, release: Release) =>
  planCapacity(host.facts(), release.model, { contextSize: 2048, parallel: 1, threads: 2 })

/** Throws if this llama-server does not support one of our settings. */
async function checkOwnSettings(host: Host, release: Release, server?: string): Promise<void> {
  const capacity = smallCapacity(host, release)
  for (const model of modelsOf(release))
    await checkSettings(host, llamaSettings({ ...capacity, model }), server)
  for (const model of release.companions)
    await checkSettings(host, companionSettings(companionCapacity(host.facts(), model)), server)
}
