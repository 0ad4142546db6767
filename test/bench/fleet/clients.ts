/** Developers' sessions for the bench: each asks, thinks, and asks again with a longer prompt. */
import { type Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { kind, type Machine } from './machines.ts'
import type { Haproxy } from './policies.ts'

/** Tokens of an agent's first prompt, and by how many each turn is longer than the one before and its answer. */
export const prompt = { first: 8000, grows: 900 }
/** Seconds between an answer and the next request, in the mean. */
const thinking = 300
/**
 * Sessions of a VM: 0.7 of its slots are busy if all find their prompts, and 2.5 if none does. With twice as many, no policy
 * helps: a burst fills a VM, the sessions that spill over take slots four times as long elsewhere, and fill those.
 */
export const sessionsPerMachine = 5

export type Totals = {
  /** Requests of the whole run, which begins before the others count. */
  sent: number
  answered: number
  /** Those after a session's first, and of these, those that found their prompt. */
  later: number
  found: number
  /** Prompt tokens computed though some VM had computed them before. */
  again: number
  refused: number
  /** Refused although some VM had a free slot. */
  refusedWhileFree: number
  failed: number
}

/** `machine`: the port of the one that has answered. */
type Reply = { status: number; computed?: number; machine?: number }

export function send(socketPath: string, session: string, tokens: number, agent: Agent): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const headers = { 'x-session': session, 'x-copilot-session': session, 'x-tokens': tokens }
    const sent = request(
      { socketPath, path: '/v1/chat/completions', method: 'POST', headers, agent },
      response => {
        const { statusCode: status = 0 } = response
        text(response).then(body => resolve({ status, ...(status === 200 && JSON.parse(body)) }), reject)
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}

/** As the edge proxy does it: what was failed or refused is sent once more. */
async function sendTwice(haproxy: Haproxy, session: string, tokens: number, agent: Agent): Promise<Reply> {
  const reply = await send(haproxy.socket, session, tokens, agent).catch(() => ({ status: 502 }))
  return [429, 502, 503].includes(reply.status) ? send(haproxy.repeatedSocket, session, tokens, agent) : reply
}

/** Seconds in which the sessions begin, until which nothing is measured, and that are measured. */
const arrival = 900
const warmUp = 1200
const measured = 600
/** Milliseconds: for every third request, its session waits for the next one of these. */
const burstEvery = 60_000

const noTotals = (): Totals => ({
  sent: 0,
  answered: 0,
  later: 0,
  found: 0,
  again: 0,
  refused: 0,
  refusedWhileFree: 0,
  failed: 0,
})

type Run = {
  haproxy: Haproxy
  machines: Machine[]
  totals: Totals
  clock: { faster: number; isOver: () => boolean; isMeasured: () => boolean }
  agent: Agent
}

/** One session until the end. */
async function run(session: string, { haproxy, machines, totals, clock, agent }: Run): Promise<void> {
  const { faster, isOver, isMeasured } = clock
  let tokens = prompt.first
  let previous = 0
  await setTimeout((Math.random() * arrival * 1000) / faster)
  while (!isOver()) {
    const reply = await sendTwice(haproxy, session, tokens, agent).catch(() => undefined)
    if (isOver()) return
    totals.sent += 1
    const counted = isMeasured() ? totals : noTotals()
    if (reply === undefined || reply.status !== 200) {
      if (reply?.status === 429 || reply?.status === 503) {
        counted.refused += 1
        if (machines.some(({ busy, isLost }) => !isLost && busy < kind.slots)) counted.refusedWhileFree += 1
      } else counted.failed += 1
      await setTimeout(10_000 / faster)
      continue
    }
    counted.answered += 1
    if (previous > 0) {
      counted.later += 1
      const fresh = tokens - previous
      const { computed = 0 } = reply
      if (computed <= fresh) counted.found += 1
      counted.again += Math.max(0, computed - fresh)
    }
    previous = tokens
    tokens += prompt.grows
    await setTimeout((-Math.log(Math.random()) * thinking * 1000) / faster)
    const burst = burstEvery / faster
    if (Math.random() < 1 / 3) await setTimeout(burst - (Date.now() % burst))
  }
}

/** Runs all sessions. Of the time that is measured, one VM is lost for the second third. */
export async function runSessions(
  haproxy: Haproxy,
  machines: Machine[],
  faster: number,
  agent: Agent,
): Promise<Totals> {
  const totals = noTotals()
  const start = performance.now()
  const at = (seconds: number) => start + (seconds * 1000) / faster
  const clock = {
    faster,
    isOver: () => performance.now() > at(warmUp + measured),
    isMeasured: () => performance.now() > at(warmUp),
  }
  const sessions = Array.from({ length: machines.length * sessionsPerMachine }, (_, index) =>
    run(`session-${index}`, { haproxy, machines, totals, clock, agent }),
  )
  const until = (seconds: number) => setTimeout((seconds * 1000) / faster)
  void until(warmUp + measured / 3).then(() => machines.at(-1)?.lose())
  void until(warmUp + (2 * measured) / 3).then(() => machines.at(-1)?.restore())
  await Promise.race([Promise.all(sessions), until(warmUp + measured + 10)])
  return totals
}
