/** Checks of the virtual machine: CPU, memory, disks, clock. */
import { variables } from '../../../lib/appliance/context/variables.ts'
import { noted, ok, problem, skipped, warning } from '../../../lib/appliance/diagnosis/finding.ts'
import {
  enoughSpace,
  fastEnough,
  readingFinding,
  spaceFinding,
} from '../../../lib/appliance/diagnosis/storage.ts'
import { diskLabels } from '../../../lib/appliance/disks/disks.ts'
import { modelPath } from '../../../lib/appliance/paths.ts'
import { describedCapacity } from '../../../lib/appliance/plan.ts'
import {
  cpuNotes,
  hugePageNotes,
  loadNotes,
  severeNotes,
  threadNotes,
} from '../../../lib/appliance/sizing/hardware.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { isRouter } from '../../../lib/steps/fleet/router.ts'
import { comparedMemory, measuredMemory } from '../../../lib/steps/llama/memory-check.ts'
import { readPlan } from '../../../lib/steps/plan.ts'
import { readClock, readTimeSource } from '../../../lib/steps/tls/clock.ts'
import type { Facts } from '../../../lib/system/facts.ts'
import type { Host } from '../../../lib/system/host.ts'
import { freeBytes } from '../../../lib/system/large-files.ts'
import { readState } from '../../../lib/system/state-files.ts'
import { fileAt } from '../../../lib/system/verified-files.ts'
import type { DoctorCheck } from './check.ts'

/** In MiB: read from the model's file, past the page cache. */
const sample = 128

const space = (folder: string): DoctorCheck => ({
  name: `disk space in ${folder}`,
  expected: enoughSpace,
  run: host => spaceFinding(folder, freeBytes(host.files.at(folder))),
})

/** A check of what llama-server needs. */
const onCopilots = ({ run, ...check }: DoctorCheck): DoctorCheck => ({
  ...check,
  run: host => (isRouter(host) ? skipped('a router serves no model') : run(host)),
})

export const machineChecks: DoctorCheck[] = [
  onCopilots({
    name: 'CPU',
    expected: "AVX2, and the host's own CPU model",
    run: host => {
      const facts = host.facts()
      const { model = 'unnamed', features } = facts.cpu
      const severe = severeNotes(facts)
      const seen = `${model}, ${features.join(' ')}`
      return severe.length > 0 ? noted('problem', severe, seen) : noted('warning', cpuNotes(facts), seen)
    },
  }),
  {
    name: 'threads',
    expected: 'one for each physical core',
    run: host => {
      const plan = readPlan(host)
      if (plan.state !== 'serving') return skipped('no model is served')
      const facts = host.facts()
      const { threads } = plan.capacity
      return noted(
        'warning',
        threadNotes(facts, threads),
        `${threads}, physical cores: ${facts.physicalCores}`,
      )
    },
  },
  {
    name: 'memory',
    expected: 'no more than planned',
    run: async host => {
      const plan = readPlan(host)
      if (plan.state !== 'serving') return skipped('no model is served')
      const { isWithin, text } = comparedMemory(plan.capacity, await measuredMemory(host))
      return isWithin
        ? ok(text)
        : problem(text, `Reduce ${variables.contextSize.name}, or give the VM more memory.`)
    },
  },
  onCopilots({
    name: 'huge pages',
    expected: 'madvise or always',
    run: host => {
      const facts = host.facts()
      return noted('warning', hugePageNotes(facts), facts.hugePages ?? 'not supported by the kernel')
    },
  }),
  space('/'),
  space('/var/log'),
  {
    name: 'attached disks',
    expected: `those labelled ${diskLabels.models} and ${diskLabels.state}, if there are any`,
    run: host => {
      const { models, state, notes = [], refusal } = readState(host, stateFiles.disks) ?? {}
      if (refusal !== undefined) return problem(refusal)
      const seen = [
        ...(models === undefined ? [] : [`models: ${models.source}`]),
        ...(state === undefined ? [] : [`state: ${state.device}, UUID ${state.uuid}`]),
      ]
      return noted('warning', notes, seen.join('; ') || 'none')
    },
  },
  onCopilots({ name: 'disk speed', expected: fastEnough, run: diskSpeed }),
  {
    name: 'clock',
    expected: 'set by a time source',
    run: async host => {
      const { now, isSynchronised } = await readClock(host)
      const seen = `${now.toISOString().slice(0, 19)}Z`
      if (isSynchronised) return ok(`${seen}, set by ${await timeSource(host)}`)
      return warning(
        `${seen}, not synchronised`,
        `Set NTP servers in ${variables.ntpServers.name}, or have DHCP announce them.`,
      )
    },
  },
]

/** In words: chronyd calls its reference clock, which here is the hypervisor's, PHC0. */
async function timeSource(host: Host): Promise<string> {
  const source = await readTimeSource(host)
  return source === 'PHC0' ? "the hypervisor's clock" : (source ?? 'a time source')
}

/** To be made last. `before`: facts from before the other checks. */
export const loadCheck = (before: Facts): DoctorCheck => ({
  name: 'steal time and swap',
  expected: 'hardly any',
  run: host => noted('warning', loadNotes(before, host.facts()), 'hardly any while these checks were made'),
})

/** Reads from the middle of the model's file: dd(1) with direct I/O. */
async function diskSpeed(host: Host) {
  const plan = readPlan(host)
  const { model } = describedCapacity(plan)
  const file = fileAt(host, modelPath(model.name))
  const path = host.files.at(file)
  const size = host.files.status(file)?.size
  if (size === undefined) return skipped(`${file} is not there`)
  if (size < sample * 2 ** 20) return skipped(`${file} is too small to tell`)
  const skip = Math.floor((size / 2 ** 20 - sample) / 2)
  const started = performance.now()
  await host.query`dd if=${path} of=/dev/null bs=1M count=${sample} skip=${skip} iflag=direct status=none`
  return readingFinding(sample * 2 ** 20, (performance.now() - started) / 1000)
}
