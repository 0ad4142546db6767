/** Run by a timer: writes the file with the appliance's own metrics, which nginx shows at `/metrics`. */
import { modelServices, paths } from '../lib/appliance/paths.ts'
import { pendingOf } from '../lib/appliance/plan.ts'
import type { Companion } from '../lib/appliance/sizing/companions.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { type MetricFacts, metricsText } from '../lib/render/metrics/metrics.ts'
import { measuredMemory, mostPlanned } from '../lib/steps/llama/memory-check.ts'
import { readProgress } from '../lib/steps/models/fetch-progress.ts'
import { readUnavailable } from '../lib/steps/services/availability.ts'
import { countRequests } from '../lib/steps/usage/counted-requests.ts'
import type { Host } from '../lib/system/host.ts'
import { readState } from '../lib/system/state-files.ts'
import { unitStatus } from '../lib/system/systemd.ts'
import { parsedCertificate } from '../lib/system/x509.ts'
import about from '../package.json' with { type: 'json' }

/** Writes the file. What is not known yet, such as a plan before the first configure, is left out. */
export async function writeMetrics(host: Host): Promise<void> {
  host.files.replace(paths.metrics, metricsText(await readMetricFacts(host)), 0o644)
}

async function readMetricFacts(host: Host): Promise<MetricFacts> {
  const plan = readState(host, stateFiles.plan)
  const capacity = plan?.state === 'serving' ? plan.capacity : undefined
  return {
    now: host.now(),
    version: about.version,
    llamaCpp: readState(host, stateFiles.release)?.llamaCpp.tag ?? '',
    served: capacity && {
      model: capacity.model.name,
      slots: capacity.slots,
      contextSize: capacity.contextSize,
      memory: mostPlanned(capacity),
    },
    companions: await companionStates(host, plan?.companions ?? []),
    isServing: capacity !== undefined && readUnavailable(host) === undefined,
    memoryUsed: await usedMemory(host),
    certificateEnd: parsedCertificate(host.files.read(paths.currentChain) ?? '')?.validToDate,
    smokeTestPassed: host.files.status(paths.proven)?.modifiedAt,
    pending: plan && pendingModel(host, pendingOf(plan)?.model.name),
    counters: countRequests(host),
  }
}

async function companionStates(host: Host, planned: Companion[]): Promise<MetricFacts['companions']> {
  const states: MetricFacts['companions'] = []
  for (const { capacity } of planned.filter(({ isInstalled }) => isInstalled)) {
    const { kind, name } = capacity.model
    const { isActive } = await unitStatus(host, modelServices[kind].unit)
    states.push({ service: kind, model: name, isActive })
  }
  return states
}

/** Bytes; undefined while llama-server is not running. */
async function usedMemory(host: Host): Promise<number | undefined> {
  const measured = await measuredMemory(host).catch(() => undefined)
  return measured?.anonymous
}

function pendingModel(host: Host, model: string | undefined): MetricFacts['pending'] {
  if (model === undefined) return undefined
  const percent = readProgress(host, 'model')?.match(/(\d{1,3}) %/)?.[1]
  return { model, done: percent === undefined ? undefined : Number(percent) / 100 }
}
