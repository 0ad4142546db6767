/** A fleet of 4 to 256 VMs behind the real HAProxy: how often a session finds its prompt, by how a server is chosen. */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { kind, type Machine } from './fleet/machines.ts'
import { countMoves, type Moves } from './fleet/moves.ts'
import { assumptions, reach, virtualMachines } from './fleet/paper.ts'
import { bars } from './fleet/picture.ts'
import { type Policy, policies } from './fleet/policies.ts'
import { quantile } from './fleet/quantile.ts'
import { measureRace } from './fleet/race.ts'
import { measureRouter } from './fleet/router.ts'
import { type Run, runSessions } from './fleet/sessions.ts'
import {
  costsTable,
  type Measured,
  movesTable,
  policiesTable,
  raceText,
  row,
  timesTable,
} from './fleet/tables.ts'
import { usedBy } from './fleet/usage.ts'

const sizes = (process.env.FLEET_SIZES ?? '4,16,64,256').split(',').map(Number)

/** Sessions for each VM: as many as the fleet can serve, and twice as many, so that it is full nearly all the time. */
const sessions = { usual: 5, full: 10 }
/** The largest fleet with 5,000 sessions. */
const most = { size: 256, perMachine: 20 }

const measure = (size: number, perMachine: number, policy: Policy): Promise<Measured> =>
  runSessions(size, perMachine, policy, run => ({
    size,
    perMachine,
    policy,
    ...run.totals,
    ...resources(run),
    spread: spreadOf(run.machines),
  }))

function resources({ haproxy: { pid }, totals: { sent } }: Run) {
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

async function measureAll(): Promise<Measured[]> {
  const all: Measured[] = []
  const add = async (size: number, perMachine: number, policy: Policy) => {
    const one = await measure(size, perMachine, policy)
    all.push(one)
    console.log(`  ${row(one).join('  ')}`)
  }
  for (const size of sizes) for (const policy of policies) await add(size, sessions.usual, policy)
  for (const size of sizes)
    for (const policy of ['least connections', 'ours'] as const) await add(size, sessions.full, policy)
  if (sizes.includes(most.size)) await add(most.size, most.perMachine, 'ours')
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
  const [idle, race, moves, all] = [load(), await measureRace(), await movesOf(), await measureAll()]
  const largest = sizes.at(-1) ?? 0
  const found = (['round robin', 'ours'] as const).map((policy): [string, number] => [
    policy,
    shareFound(all, largest, policy),
  ])
  const page = `# A fleet behind one router

Written by \`make bench BENCH=fleet\` at ${at}Z on ${cpus().length} CPUs; load average before ${before}, after the router's own times ${idle}, at the end ${load()}
(above ${cpus().length}: other work ran, too).

## Which copilot gets a request

The real HAProxy with a router's configuration. The VMs are simulated: ${kind.slots} slots each, ${kind.prompt} prompt and ${kind.generation} generated tokens a second, prompts
of the last ${kind.remembered} conversations kept; one in eight is half as fast, and one is lost for a third of the time. Prompts begin with
8,000 tokens and grow by 900 a turn; every third request comes in a burst. What is refused is sent again as the edge proxy does it. A client
that was refused tries again after 10 s, then after 20, at most 80. Time jumps from one event to the next, and each has taken
effect in HAProxy before the next one: so the figures do not depend on this machine's load, but for the CPU's. Each row: 10 minutes, after 20 to warm up.
With ${sessions.usual} sessions for each VM, the fleet has room; with ${sessions.full} and more it is full nearly all the time, and most prompts are lost.

![Requests that found their session's prompt](fleet.svg)

${policiesTable(all)}

\`bounded hash\`: HAProxy's \`hash-type consistent\` with \`hash-balance-factor 125\`. Memory is at the end of a run.

${raceText(race)}

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
