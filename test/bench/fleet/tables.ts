/** The tables of the fleet's bench, in its order. */

import { table } from '../table.ts'
import type { Moves } from './moves.ts'
import type { Policy } from './policies.ts'
import type { Race } from './race.ts'
import type { RouterCosts } from './router.ts'
import type { Totals } from './sessions.ts'
import type { Times } from './times.ts'

export type Measured = Totals & {
  size: number
  /** Sessions for each VM. */
  perMachine: number
  policy: Policy
  /** Requests of a VM in relation to the mean. */
  spread: { median: number; most: number }
  megabytes: number
  /** Microseconds of HAProxy's CPU for a request. */
  cpu: number
}

const percent = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`

export const row = (one: Measured): string[] => [
  `${one.size} VMs, ${one.size * one.perMachine} sessions: ${one.policy}`,
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

export const policiesTable = (all: Measured[]) =>
  table(
    [
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
    ],
    all.map(row),
  )

export const movesTable = (moves: Moves[]) =>
  table(
    ['a VM is added to', '1 / N', 'sessions that it takes over', 'that move between the others'],
    moves.map(({ size, policy, gained, between }) => [
      `${size} VMs: ${policy}`,
      percent(1, size + 1),
      percent(gained, 1),
      percent(between, 1),
    ]),
  )

export const timesTable = ({ times }: RouterCosts) => {
  const cell = ({ median, most }: Times) => `${median.toFixed(1)} / ${most.toFixed(1)}`
  return table(
    [
      'p50 / p99 in ms of a request that is answered at once',
      'to the copilot',
      'through the router',
      'added, request by request',
      'between two requests to the copilot',
    ],
    times.map(({ load, direct, routed, added, noise }) => [
      `load average ${load.toFixed(1)}`,
      ...[direct, routed, added, noise].map(cell),
    ]),
  )
}

/** In words. */
export const raceText = ({ load, requests, refused, freeAtEnd, freeAllAlong, median, most }: Race) =>
  `In real time, through edge proxy and HAProxy (three copilots of 8 slots, 40 clients, answers of 2 s; load average ${load.toFixed(1)}):
of ${requests} requests ${refused} were refused. When the client read the refusal, a slot was free again for ${freeAtEnd} of these, since ${median.toFixed(0)} ms
in the median and ${most.toFixed(0)} ms at p99; a slot that was free when the request was sent, and all the time until it was refused: ${freeAllAlong}.`

/** To three digits. */
const rounded = (value: number) => String(Number(value.toPrecision(3)))

export const costsTable = ({ stream, request, token }: RouterCosts) => {
  const line = (name: string, { nginx, haproxy }: Record<'nginx' | 'haproxy', number>, unit: number) => [
    name,
    rounded(nginx / unit),
    rounded(haproxy / unit),
  ]
  return table(
    ['a router', 'nginx', 'HAProxy'],
    [
      line('kB of memory for an open stream', stream, 1e3),
      line('ms of CPU for a request', request, 1e-3),
      line('µs of CPU for a token', token, 1e-6),
    ],
  )
}
