/** A fleet of 4 to 256 VMs behind the real HAProxy: how often a session finds its prompt, by how a server is chosen. */
import { writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { runSessions, sessionsPerMachine, type Totals } from './fleet/clients.ts'
import { kind, type Machine, startMachine } from './fleet/machines.ts'
import { countMoves, type Moves } from './fleet/moves.ts'
import { assumptions, reach, virtualMachines } from './fleet/paper.ts'
import { bars } from './fleet/picture.ts'
import { type Haproxy, type Policy, policies, startHaproxy } from './fleet/policies.ts'
import { quantile } from './fleet/quantile.ts'
import { measureRouter } from './fleet/router.ts'
import { costsTable, type Measured, movesTable, policiesTable, row, timesTable } from './fleet/tables.ts'
import { usedBy } from './fleet/usage.ts'

const sizes = (process.env.FLEET_SIZES ?? '4,16,64,256').split(',').map(Number)
/** How many times faster than in truth time runs: as fast as this machine can play the VMs. */
const fasterFor = (size: number) => Math.min(40, Math.max(25, 2500 / size))

async function measure(size: number, policy: Policy): Promise<Measured> {
  // One VM in eight is half as fast.
  const machines: Machine[] = []
  for (let index = 0; index < size; index += 1)
    machines.push(await startMachine(index % 8 === 3 ? 2 : 1, fasterFor(size)))
  const haproxy = await startHaproxy(
    policy,
    machines.map(({ port }) => port),
    kind.slots,
    fasterFor(size),
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

function resources({ pid }: Haproxy, { sent }: Totals) {
  const used = usedBy([pid])
  return { megabytes: used.bytes / 1e6, cpu: (used.seconds * 1e6) / sent }
}

function spreadOf(machines: Machine[]) {
  const counts = machines.map(({ requests }) => requests)
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return { median: quantile(counts, 0.5) / mean, most: quantile(counts, 0.99) / mean }
}

const load = () => loadavg()[0]?.toFixed(1)

const shareFound = (all: Measured[], size: number, policy: Policy) => {
  const one = all.find(each => each.size === size && each.policy === policy)
  return one === undefined ? 0 : one.found / Math.max(1, one.later)
}

const picture = (all: Measured[]) =>
  bars(
    'Requests that found their session’s prompt',
    sizes.map(size => `${size} VMs`),
    policies,
    sizes.map(size => policies.map(policy => shareFound(all, size, policy))),
  )

/** All policies at each size, side by side: what else this machine does slows all of them alike. */
async function measureAll(): Promise<Measured[]> {
  const all: Measured[] = []
  for (const size of sizes) {
    const measured = await Promise.all(policies.map(policy => measure(size, policy)))
    all.push(...measured)
    for (const one of measured) console.log(`  ${row(one).join('  ')}`)
  }
  return all
}

async function movesOf(): Promise<Moves[]> {
  const moves: Moves[] = []
  for (const size of sizes)
    for (const policy of ['bounded hash', 'ours'] as const) moves.push(await countMoves(size, policy))
  return moves
}

/** Prints and keeps the tables, and the picture. */
export async function benchFleet(): Promise<void> {
  const [at, before] = [new Date().toISOString().slice(0, 16), load()]
  const costs = await measureRouter()
  const [idle, moves, all] = [load(), await movesOf(), await measureAll()]
  const largest = sizes.at(-1) ?? 0
  const found = (['round robin', 'ours'] as const).map((policy): [string, number] => [
    policy,
    shareFound(all, largest, policy),
  ])
  const page = `# A fleet behind one router

Written by \`make bench BENCH=fleet\` at ${at}Z on ${cpus().length} CPUs; load average before ${before}, after the router's own times ${idle}, at the end ${load()}
(above ${cpus().length}: other work ran, too).

## Which copilot gets a request

The real HAProxy with a router's configuration. The VMs are simulated, 25 to 40 times faster: ${kind.slots} slots each, ${kind.prompt} prompt and
${kind.generation} generated tokens a second, prompts of the last ${kind.remembered} conversations kept; one in eight is half as fast, and one is lost for a
third of the time. ${sessionsPerMachine} sessions for each VM; prompts begin with 8,000 tokens and grow by 900 a turn; every third request comes in a burst.
A request that is refused or failed is sent once more, as the edge proxy does. A client that was refused tries again after 10 s.
Health checks do not run faster: a lost VM is noticed after minutes of that time. Each row: 10 minutes of their time, after 20 to warm up.

![Requests that found their session's prompt](fleet.svg)

${policiesTable(all)}

\`bounded hash\`: HAProxy's \`hash-type consistent\` with \`hash-balance-factor 125\`. Memory is at the end of a run.

${movesTable(moves)}

## What a router costs

${timesTable(costs)}

${costsTable(costs)}

Streams with requests of 120 kB; of the tokens, each is passed on alone.

## On paper

${reach(costs)}

Beyond that, a second router with copilots of its own is due: developers are divided between them by DNS, so that each has one address.

${virtualMachines(found)}

${assumptions}
`
  console.log(page)
  const folder = join(import.meta.dirname, 'results')
  writeFileSync(join(folder, 'fleet.svg'), picture(all))
  writeFileSync(join(folder, 'fleet.md'), page)
}
