/** What follows from the measured figures: how far one router reaches, and how many VMs so many developers need. */

import { mostBackends } from '../../../lib/appliance/fleet/backends.ts'
import { connections } from '../../../lib/appliance/nginx/limits.ts'
import { table } from '../table.ts'
import { answer, kind } from './machines.ts'
import type { RouterCosts } from './router.ts'
import { prompt } from './sessions.ts'

/** A working day: the hours in which requests come, and how much more than the mean in the busiest of them. */
const day = { hours: 8, peak: 2 }
/** Share of all slots that may be busy in that hour: the rest is for bursts, and for a VM that is lost. */
const busyShare = 0.7
/** Share of a processor that may be busy. */
const cpuShare = 0.6
/** Bytes that a router's system takes without any stream. */
const base = 400e6
/** Tokens of a conversation in the middle of its life. */
const conversation = 16_000

/** Seconds that a slot is busy with a request, if this share of the requests finds its prompt. */
const slotSeconds = (found: number) =>
  answer / kind.generation + (prompt.grows + (1 - found) * conversation) / kind.prompt

/** Streams at once, by what bounds them. */
const boundsOf = ({ stream, token }: RouterCosts, cpus: number, memory: number) => ({
  memory: (memory - base) / (stream.nginx + stream.haproxy),
  CPU: (cpus * cpuShare) / ((token.nginx + token.haproxy) * kind.generation),
  'HAProxy’s one thread': cpuShare / (token.haproxy * kind.generation),
  'HAProxy’s connections': 4096,
  'nginx’s connections': (connections.processes * connections.worker) / 2,
  [`${mostBackends} copilots`]: mostBackends * kind.slots,
})

const hundreds = (value: number) => String(Math.floor(value / 100) * 100)

/** What one router carries. */
export function reach(costs: RouterCosts): string {
  const sizes = [
    { cpus: 2, memory: 1e9 },
    { cpus: 2, memory: 4e9 },
    { cpus: 4, memory: 8e9 },
  ]
  const bounds = sizes.map(({ cpus, memory }) => boundsOf(costs, cpus, memory))
  const names = Object.keys(bounds[0] ?? {}) as (keyof (typeof bounds)[number])[]
  return table(
    ['streams at once, bounded by', ...sizes.map(({ cpus, memory }) => `${cpus} vCPUs, ${memory / 1e9} GB`)],
    [
      ...names.map(name => [name, ...bounds.map(one => hundreds(one[name] ?? 0))]),
      ['**all of these**', ...bounds.map(one => hundreds(Math.min(...Object.values(one))))],
    ],
  )
}

/** The VMs for so many developers, each with so many requests a day. `found`: by policy, the share that finds its prompt. */
export function virtualMachines(found: [policy: string, share: number][]): string {
  const rows = [100, 1000, 10_000].flatMap(developers =>
    [40, 200].map(requests => {
      const perSecond = (developers * requests * day.peak) / (day.hours * 3600)
      const busy = found.map(([, share]) => perSecond * slotSeconds(share))
      const vms = busy.map(slots => Math.ceil(slots / (kind.slots * busyShare)))
      return [
        `${developers} × ${requests}`,
        perSecond.toFixed(1),
        String(Math.ceil(busy.at(-1) ?? 0)),
        ...vms.map(String),
        String(Math.ceil((vms.at(-1) ?? 0) / mostBackends)),
      ]
    }),
  )
  return table(
    [
      'developers × requests a day',
      'requests a second',
      'streams at once, ours',
      ...found.map(([policy]) => `VMs, ${policy}`),
      'routers, ours',
    ],
    rows,
  )
}

export const assumptions = `An answer has ${answer} tokens and follows ${prompt.grows} new ones of the prompt; a conversation is ${conversation} tokens long when its prompt is lost.
Requests come in ${day.hours} hours a day, in the busiest of them ${day.peak} times as many as in the mean; then ${busyShare * 100} % of the slots are busy.
A VM is the simulated one: ${kind.slots} slots, each with ${kind.prompt} prompt and ${kind.generation} generated tokens a second. Of a router, ${cpuShare * 100} % of its CPU may be busy, and its system takes ${base / 1e6} MB.`
