/** Reads each section of the status. What cannot be read throws, and changes nothing else. */
import { statfsSync } from 'node:fs'
import { countRefusals } from '../../../lib/appliance/diagnosis/requests.ts'
import { slotsOf } from '../../../lib/appliance/fleet/fleet.ts'
import { endpointUrl } from '../../../lib/appliance/names.ts'
import { modelServices, paths, units } from '../../../lib/appliance/paths.ts'
import { describedCapacity, planNotes } from '../../../lib/appliance/plan.ts'
import { metricsPath } from '../../../lib/appliance/requests/api.ts'
import { notRunningText, problemOfReply } from '../../../lib/appliance/services/availability.ts'
import { drainingText } from '../../../lib/appliance/services/drain.ts'
import { reservedBy } from '../../../lib/appliance/sizing/companions.ts'
import { resultOf, type stageNames } from '../../../lib/appliance/stages.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import type { SectionName, SectionValue } from '../../../lib/appliance/status/status.ts'
import { tokenRates } from '../../../lib/appliance/status/token-rates.ts'
import { knownCopilots } from '../../../lib/steps/fleet/known.ts'
import { fleetProblem, isRouter } from '../../../lib/steps/fleet/router.ts'
import { comparedMemory, measuredMemory } from '../../../lib/steps/llama/memory-check.ts'
import { installedRelease } from '../../../lib/steps/models/release.ts'
import { isStageAtWork } from '../../../lib/steps/one-at-a-time.ts'
import { passwordInForce } from '../../../lib/steps/password.ts'
import { readPlan } from '../../../lib/steps/plan.ts'
import { readUnavailable } from '../../../lib/steps/services/availability.ts'
import { healthProblem, serviceProblem } from '../../../lib/steps/services/check.ts'
import { drainingSince } from '../../../lib/steps/services/drain.ts'
import { floatingAddresses } from '../../../lib/steps/services/floating-ip.ts'
import { readNginxVersion } from '../../../lib/steps/services/nginx.ts'
import { readLastSmokeTest } from '../../../lib/steps/services/smoke-test-record.ts'
import { replyOfCompanion } from '../../../lib/steps/services/watchdog.ts'
import { readStageRuns } from '../../../lib/steps/stage-runs.ts'
import { readCaCertificate } from '../../../lib/steps/tls/certificates.ts'
import { ownTrust, verifiableEndpoints } from '../../../lib/steps/tls/client-view.ts'
import { readCertificateInUse } from '../../../lib/steps/tls/installed-pairs.ts'
import { requestsOfLastHour } from '../../../lib/steps/usage/request-log.ts'
import type { Host } from '../../../lib/system/host.ts'
import { readState } from '../../../lib/system/state-files.ts'
import { unitStatus } from '../../../lib/system/systemd.ts'
import { certificatesIn, namesIn } from '../../../lib/system/x509.ts'
import packageFile from '../../../package.json' with { type: 'json' }
import { fleetRows } from '../../backends.ts'
import { pendingActions } from './pending.ts'

type Readers = { [Name in SectionName]: (host: Host) => Promise<SectionValue<Name>> | SectionValue<Name> }

/** Those without which nothing is served. */
const requiredUnits = (host: Host) =>
  isRouter(host)
    ? [units.router, ...(floatingAddresses(host).length > 0 ? [units.floatingIp] : []), units.nginx]
    : [units.llama, units.admission, units.nginx]
const day = 86_400_000
const isRoot = () => process.getuid?.() === 0

export const sections: Readers = {
  stages: async host => {
    const runs = readStageRuns(host)
    const isAtWork = await isStageAtWork(host)
    const stageOf = (name: (typeof stageNames)[number]) => {
      const run = runs[name]
      if (run === undefined) return null
      const { startedAt, endedAt = null, problem = null } = run
      return { result: resultOf(run, isAtWork), startedAt, endedAt, problem }
    }
    const [install, configure, bootstrap] = [stageOf('install'), stageOf('configure'), stageOf('bootstrap')]
    return {
      framework: host.files.read(paths.frameworkStatus)?.trim() ?? null,
      install,
      configure,
      bootstrap,
    }
  },
  versions: async host => {
    const { llamaCpp, model } = installedRelease(host)
    const nginx = /nginx\/(\S+)/.exec(await readNginxVersion(host))?.[1]
    if (nginx === undefined) throw new Error('nginx -v does not state a version.')
    return { appliance: packageFile.version, llamaCpp: llamaCpp.tag, nginx, model: model.name }
  },
  plan: host => {
    const plan = readPlan(host)
    const { model, contextSize, threads, kvType, ...planned } = describedCapacity(plan)
    const slots = plan.state === 'routing' ? slotsOf(knownCopilots(host)) : planned.slots
    const companions = plan.companions.map(({ capacity, isInstalled }) => ({
      kind: capacity.model.kind,
      model: capacity.model.name,
      contextSize: capacity.contextSize,
      memory: reservedBy([capacity]),
      isInstalled,
    }))
    return { state: plan.state, model: model.name, contextSize, slots, threads, kvType, companions }
  },
  fleet: async host => (isRouter(host) ? fleetRows(host) : []),
  floatingAddresses: host => {
    const { addresses } = host.facts()
    return floatingAddresses(host).map(address => ({ address, isHere: addresses.includes(address) }))
  },
  services: async host => {
    const services: SectionValue<'services'> = []
    const [chat = '', ...proxies] = requiredUnits(host)
    const companions = companionUnitsOf(host)
    for (const unit of [chat, ...companions, ...proxies]) {
      const { isActive, isEnabled, startedAt } = await unitStatus(host, unit)
      const reply = isActive && companions.includes(unit) ? await replyOfCompanion(host, unit) : 'answer'
      const since = startedAt?.toISOString() ?? null
      services.push({ unit, isActive, isEnabled, since, problem: problemOfReply[reply] })
    }
    return services
  },
  certificate: host => {
    const { mode, pair } = readCertificateInUse(host)
    const [leaf] = certificatesIn(pair.certificate)
    if (leaf === undefined) throw new Error(`${paths.currentChain} holds no certificate.`)
    const daysLeft = Math.floor((leaf.validToDate.getTime() - host.now().getTime()) / day)
    return { mode, names: namesIn(leaf), ends: leaf.validToDate.toISOString(), daysLeft }
  },
  addresses: host => {
    const { addresses, hostname } = host.facts()
    const plan = isRoot() ? readPlan(host).endpoints : [...addresses, hostname]
    return verifiableEndpoints(readCertificateInUse(host), plan).map(endpointUrl)
  },
  smokeTest: host => {
    const last = readLastSmokeTest(host)
    if (last === undefined) throw new Error('no smoke test is recorded; slm-copilot bootstrap runs it.')
    return { ...last, problem: last.problem ?? null }
  },
  speed: async host => {
    const measured = readState(host, stateFiles.measurement)?.speed
    return { atStart: measured ?? null, sinceStart: tokenRates(await llamaMetrics(host)) }
  },
  requests: async host => {
    const { total, refused } = countRefusals(await requestsOfLastHour(host))
    return { total, refused: Object.fromEntries(refused) }
  },
  memory: async host => {
    const plan = readPlan(host)
    if (plan.state !== 'serving') throw new Error('no model is served.')
    const { anonymous, file } = await measuredMemory(host)
    const { isWithin, least, most } = comparedMemory(plan.capacity, { anonymous, file })
    return {
      used: anonymous,
      mapped: file,
      plannedAfterStart: least,
      plannedAtMost: most,
      isWithinPlan: isWithin,
    }
  },
  disks: host =>
    ['/', '/var/log', paths.models, ...attachedFolders(host)].map(folder => {
      const { bavail, blocks, bsize } = statfsSync(host.files.at(folder))
      return { folder, free: bavail * bsize, size: blocks * bsize }
    }),
  pending: pendingActions,
  notes: host => planNotes(readPlan(host)),
}

/** The services beside chat that the plan runs; none if there is no plan, or it may not be read. */
function companionUnitsOf(host: Host): string[] {
  if (!isRoot()) return []
  const plan = readState(host, stateFiles.plan)
  return (plan?.companions ?? [])
    .filter(({ isInstalled }) => isInstalled)
    .map(({ capacity }) => modelServices[capacity.model.kind].unit)
}

/** Where disks with models and state are mounted, if they are. */
function attachedFolders(host: Host): string[] {
  const { models, state } = readState(host, stateFiles.disks) ?? {}
  return [...(models ? [paths.modelsDisk] : []), ...(state ? [paths.stateDisk] : [])]
}

/** Seconds: llama-server answers between two batches. */
const metricsTimeout = 30

/** llama-server's own metrics, by its socket, to which only root and nginx may connect. */
async function llamaMetrics(host: Host): Promise<string> {
  const { status, body } = await host.http({
    url: `http://localhost${metricsPath}`,
    socket: host.files.at(paths.socket),
    timeout: metricsTimeout,
  })
  if (status !== 200) throw new Error(`${units.llama} answered ${status} instead of its metrics.`)
  return body
}

/** Why clients are not served. Root, who can read the key, sends a request to the model's queue, too. */
export async function checkedService(host: Host): Promise<string | undefined> {
  const trust = () => ownTrust(host, readCertificateInUse(host), readCaCertificate(host))
  if (isRouter(host)) return (await fleetProblem(host)) ?? healthProblem(host, await trust())
  const problem = isRoot()
    ? await serviceProblem(host, { ...(await trust()), key: passwordInForce(host) })
    : await healthProblem(host, await trust())
  if (problem === undefined) return undefined
  const since = drainingSince(host)
  if (since !== undefined) return drainingText(since)
  const [chat = '', ...proxies] = requiredUnits(host)
  // The recorded reason is mostly llama-server's, and may be out of date until the watchdog's next look.
  for (const unit of proxies) if (!(await unitStatus(host, unit)).isActive) return notRunningText(unit)
  const recorded = readUnavailable(host)
  if (recorded !== undefined) return recorded
  return (await unitStatus(host, chat)).isActive ? problem : notRunningText(chat)
}
