/** Developers' sessions for the bench: each asks, thinks, and asks again with a longer prompt. */
import { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { ask, newId, type Reply } from './clients.ts'
import { Clock, numbersFrom } from './clock.ts'
import { kind, type Machine, startMachine, type Task } from './machines.ts'
import { type Haproxy, type Policy, startHaproxy } from './policies.ts'

/** Tokens of an agent's first prompt, and by how many each turn is longer than the one before and its answer. */
export const prompt = { first: 8000, grows: 900 }
/** Seconds between an answer and the next request, in the mean. */
const thinking = 300
/** Seconds until a client that was refused tries again: twice as many each time, at most these. */
const retryPauses = { first: 10, most: 80 }

/** Seconds in which the sessions begin, until which nothing is measured, and that are measured. */
const arrival = 900
const warmUp = 1200
const measured = 600
/** For every third request, its session waits for the next multiple of these seconds. */
const burstEvery = 60
/** Seconds after which HAProxy has noticed that a VM is lost. */
const noticedAfter = 5

const noTotals = {
  answered: 0,
  /** Those after a session's first, and of these, those that found their prompt. */
  later: 0,
  found: 0,
  /** Prompt tokens computed though some VM had computed them before. */
  again: 0,
  refused: 0,
  /** Refused although some VM had a free slot. */
  refusedWhileFree: 0,
  failed: 0,
}

export type Totals = typeof noTotals & {
  /** Requests of the whole run, which begins before the others count. */
  sent: number
}

export type Run = { totals: Totals; machines: Machine[]; haproxy: Haproxy }

type Waiting = { machine: Machine; reply: Promise<Reply>; isOver: boolean }

/** One run with the real HAProxy. `atEnd` is called before HAProxy and the VMs are stopped. */
export async function runSessions<T>(
  size: number,
  perMachine: number,
  policy: Policy,
  atEnd: (run: Run) => T,
): Promise<T> {
  const clock = new Clock()
  const random = numbersFrom(size)
  const begun = new Map<string, (task: Task, machine: Machine) => void>()
  const machines: Machine[] = []
  for (let index = 0; index < size; index += 1) {
    // One VM in eight is half as fast.
    const machine: Machine = await startMachine(index % 8 === 3 ? 2 : 1, task =>
      begun.get(task.id)?.(task, machine),
    )
    machines.push(machine)
  }
  const ports = machines.map(({ port }) => port)
  const haproxy = await startHaproxy(policy, ports, kind.slots)
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  const totals: Totals = { sent: 0, ...noTotals }
  const inProgress = new Set<Waiting>()

  const counted = () => (clock.now > warmUp ? totals : { ...noTotals })
  const hasFreeSlot = () => machines.some(({ busy, isLost }) => !isLost && busy < kind.slots)

  /** Sends a session's request; it is in progress, or has been refused, when this resolves. */
  const request = async (session: string, tokens: number, previous: number, refusals: number) => {
    totals.sent += 1
    const id = newId()
    const task = new Promise<[Task, Machine]>(resolve =>
      begun.set(id, (one, machine) => resolve([one, machine])),
    )
    const reply = ask(haproxy, { id, session, tokens }, agent)
    const first = await Promise.race([task, reply])
    begun.delete(id)
    if ('status' in first) return refused(session, tokens, previous, refusals, first)
    const [{ seconds, end }, machine] = first
    const waiting: Waiting = { machine, reply, isOver: false }
    inProgress.add(waiting)
    clock.after(seconds, async () => {
      if (waiting.isOver) return
      end()
      inProgress.delete(waiting)
      answered(session, tokens, previous, await reply)
    })
    const lost = () => refused(session, tokens, previous, refusals, { status: 0 })
    losses.set(waiting, lost)
  }
  const losses = new WeakMap<Waiting, () => void>()

  const refused = (session: string, tokens: number, previous: number, refusals: number, reply: Reply) => {
    const count = counted()
    if (reply.status === 429 || reply.status === 503) {
      count.refused += 1
      if (hasFreeSlot()) count.refusedWhileFree += 1
    } else count.failed += 1
    const pause = Math.min(retryPauses.most, retryPauses.first * 2 ** refusals)
    clock.after(pause * (0.5 + random()), () => request(session, tokens, previous, refusals + 1))
  }

  const answered = (session: string, tokens: number, previous: number, { computed = 0 }: Reply) => {
    const count = counted()
    count.answered += 1
    if (previous > 0) {
      count.later += 1
      const fresh = tokens - previous
      if (computed <= fresh) count.found += 1
      count.again += Math.max(0, computed - fresh)
    }
    const pause = -Math.log(1 - random()) * thinking
    const burst = random() < 1 / 3 ? burstEvery - ((clock.now + pause) % burstEvery) : 0
    clock.after(pause + burst, () => request(session, tokens + prompt.grows, tokens, 0))
  }

  /** Its streams end without their ends; HAProxy notices a little later. */
  const lose = async (machine: Machine) => {
    const lost = [...inProgress].filter(each => each.machine === machine)
    machine.lose()
    for (const waiting of lost) {
      Object.assign(waiting, { isOver: true })
      inProgress.delete(waiting)
      await waiting.reply
      losses.get(waiting)?.()
    }
    clock.after(noticedAfter, () => haproxy.untilState(machine.port, /^DOWN/))
  }
  const restore = async (machine: Machine) => {
    machine.restore()
    await haproxy.untilState(machine.port, /^UP/)
  }

  try {
    for (let index = 0; index < size * perMachine; index += 1)
      clock.after(random() * arrival, () => request(`session-${index}`, prompt.first, 0, 0))
    // One VM is lost for the second third of the measured time.
    const last = machines.at(-1) as Machine
    clock.after(warmUp + measured / 3, () => lose(last))
    clock.after(warmUp + (2 * measured) / 3, () => restore(last))
    await clock.runUntil(warmUp + measured)
    return atEnd({ totals, machines, haproxy })
  } finally {
    agent.destroy()
    await haproxy.stop()
    for (const machine of machines) machine.stop()
    await setTimeout(0)
  }
}
