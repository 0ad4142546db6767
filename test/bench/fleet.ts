/** A fleet of 4 to 256 VMs behind the real HAProxy: how often a session finds its prompt, by how a server is chosen. */
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { answeredBy, ask, keys, startCopilot, startRouter } from '../integration/support/fleet.ts'
import { runSessions, sessionsPerMachine, type Totals } from './fleet/clients.ts'
import { kind, type Machine, startMachine } from './fleet/machines.ts'
import { bars } from './fleet/picture.ts'
import { type Haproxy, type Policy, policies, startHaproxy } from './fleet/policies.ts'
import { table } from './table.ts'

const sizes = (process.env.FLEET_SIZES ?? '4,16,64,256').split(',').map(Number)
/** How many times faster than in truth time runs: as fast as this machine can play the VMs. */
const fasterFor = (size: number) => Math.min(80, Math.max(25, 2500 / size))

type Measured = Totals & {
  size: number
  policy: Policy
  /** Requests of a VM in relation to the mean, for its slots. */
  spread: { median: number; most: number }
  megabytes: number
  /** Of HAProxy, for a request. */
  cpu: number
}

const quantile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

async function measure(size: number, policy: Policy): Promise<Measured> {
  // One VM in eight is half as fast.
  const machines: Machine[] = []
  for (let index = 0; index < size; index += 1)
    machines.push(await startMachine(index % 8 === 3 ? 2 : 1, fasterFor(size)))
  const haproxy = await startHaproxy(
    policy,
    machines.map(({ port }) => port),
    kind.slots,
  )
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  try {
    const totals = await runSessions(haproxy, machines, fasterFor(size), agent)
    return { size, policy, ...totals, ...resources(haproxy, totals), spread: spreadOf(machines) }
  } finally {
    agent.destroy()
    await haproxy.stop()
    for (const machine of machines) machine.stop()
  }
}

function resources(haproxy: Haproxy, { answered, refused }: Totals) {
  const used = haproxy.used()
  return { megabytes: used.megabytes, cpu: (used.seconds * 1e6) / (answered + refused) }
}

function spreadOf(machines: Machine[]) {
  const counts = machines.map(({ requests }) => requests)
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return { median: quantile(counts, 0.5) / mean, most: quantile(counts, 0.99) / mean }
}

const percent = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

const row = (one: Measured): string[] => [
  `${one.size} VMs, ${one.size * sessionsPerMachine} sessions: ${one.policy}`,
  String(one.answered),
  percent(one.found, one.later),
  `${(one.again / Math.max(1, one.later)).toFixed(0)}`,
  `${one.spread.median.toFixed(2)} / ${one.spread.most.toFixed(2)}`,
  percent(one.refused, one.answered + one.refused),
  percent(one.refusedWhileFree, one.answered + one.refused),
  String(one.failed),
  one.megabytes.toFixed(0),
  one.cpu.toFixed(0),
]

const head = [
  'fleet and policy',
  'answered',
  'found its prompt',
  'tokens computed again, a request',
  'load of a VM, p50 / p99 of the mean',
  'refused',
  'while a slot was free',
  'failed',
  'HAProxy, MB',
  'µs of CPU, a request',
]

/** Milliseconds of a request that a copilot answers at once: to itself, and through a router, in turns. */
async function addedTime(): Promise<string> {
  const copilot = await startCopilot('one', 4)
  const router = await startRouter([copilot.address])
  try {
    const samples = { direct: [] as number[], routed: [] as number[] }
    const timed = async (list: number[], send: () => Promise<unknown>) => {
      const start = performance.now()
      await send()
      list.push(performance.now() - start)
    }
    for (let index = 0; index < 520; index += 1) {
      await timed(samples.direct, () => ask(copilot.edge, { key: copilot.edge.key }))
      await timed(samples.routed, async () => answeredBy(await ask(router, { key: keys.alice })))
    }
    const of = (list: number[], share: number) => quantile(list.slice(20), share).toFixed(1)
    const pairs = samples.routed.map((value, index) => value - (samples.direct[index] ?? 0))
    return table(
      ['a request with TLS, answered at once, ms', 'p50', 'p99'],
      [
        ['to the copilot', of(samples.direct, 0.5), of(samples.direct, 0.99)],
        ['through the router', of(samples.routed, 0.5), of(samples.routed, 0.99)],
        ['added, request by request', of(pairs, 0.5), of(pairs, 0.99)],
      ],
    )
  } finally {
    await router.close()
    await copilot.stop()
  }
}

const load = () => loadavg()[0]?.toFixed(1)

/** Prints and keeps the tables, and the picture. */
export async function benchFleet(): Promise<void> {
  const [at, before] = [new Date().toISOString().slice(0, 16), load()]
  const added = await addedTime()
  console.log(added)
  const all: Measured[] = []
  for (const size of sizes) {
    // Side by side: what else this machine does slows all of them alike.
    const measured = await Promise.all(policies.map(policy => measure(size, policy)))
    all.push(...measured)
    for (const one of measured) console.log(`  ${row(one).join('  ')}`)
  }
  const folder = join(import.meta.dirname, 'results')
  const values = sizes.map(size =>
    policies.map(policy => {
      const one = all.find(each => each.size === size && each.policy === policy)
      return one === undefined ? 0 : one.found / Math.max(1, one.later)
    }),
  )
  const groups = sizes.map(size => `${size} VMs`)
  writeFileSync(
    join(folder, 'fleet.svg'),
    bars('Requests that found their session’s prompt', groups, policies, values),
  )
  writeFileSync(
    join(folder, 'fleet.md'),
    `# A fleet behind one router

Written by \`make bench BENCH=fleet\` at ${at}Z on ${cpus().length} CPUs; load average before ${before}, after ${load()} (above ${cpus().length}: other work ran, too).
The real HAProxy with a router's configuration. The VMs are simulated, 25 to 80 times faster: ${kind.slots} slots each, ${kind.prompt} prompt and
${kind.generation} generated tokens a second, prompts of the last ${kind.remembered} conversations kept; one in eight is half as fast, and one is lost for a
third of the time. ${sessionsPerMachine} sessions for each VM; prompts begin with 8,000 tokens and grow by 900 a turn; every third request comes in a burst.
A request that is refused or failed is sent once more, as the edge proxy does.
Health checks do not run faster: a lost VM is noticed after minutes of that time. Each row: 15 minutes of their time, after 30 to warm up.

![Requests that found their session's prompt](fleet.svg)

${table(head, all.map(row))}

${added}

\`bounded hash\`: HAProxy's \`hash-type consistent\` with \`hash-balance-factor 125\`. Memory is at the end of a run.
`,
  )
}
