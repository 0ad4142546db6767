/** How many sessions another VM moves, asked of the real HAProxy. */
import { Agent } from 'node:http'
import { ask, newId } from './clients.ts'
import { kind, type Machine, startMachine } from './machines.ts'
import { type Haproxy, type Policy, startHaproxy } from './policies.ts'

const sessions = 1000
const atOnce = 4

export type Moves = {
  size: number
  policy: Policy
  /** Shares of the sessions: moved to the new VM, and between the old ones. */
  gained: number
  between: number
}

/** Asks for each session where it is, `atOnce` of them at a time: no VM is ever full. */
async function places(haproxy: Haproxy, agent: Agent): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  const names = Array.from({ length: sessions }, (_, index) => index)
  const askEach = async () => {
    for (let index = names.pop(); index !== undefined; index = names.pop()) {
      const asked = { id: newId(), session: `session-${index}`, tokens: 1 }
      found[index] = (await ask(haproxy, asked, agent)).machine
    }
  }
  await Promise.all(Array.from({ length: atOnce }, askEach))
  return found
}

export async function countMoves(size: number, policy: Policy): Promise<Moves> {
  const machines: Machine[] = []
  for (let index = 0; index <= size; index += 1) machines.push(await startMachine(1, ({ end }) => end()))
  const last = machines.at(-1) as Machine
  const ports = machines.map(({ port }) => port)
  const haproxy = await startHaproxy(policy, ports.slice(0, -1), kind.slots)
  const agent = new Agent({ maxSockets: atOnce })
  try {
    const before = await places(haproxy, agent)
    await haproxy.add(last.port)
    const after = await places(haproxy, agent)
    const moved = after.filter((machine, index) => machine !== before[index])
    const gained = moved.filter(machine => machine === last.port).length
    return { size, policy, gained: gained / sessions, between: (moved.length - gained) / sessions }
  } finally {
    agent.destroy()
    await haproxy.stop()
    for (const machine of machines) machine.stop()
  }
}
