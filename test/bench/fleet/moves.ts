/** How many sessions another VM moves, asked of the real HAProxy. */
import { Agent } from 'node:http'
import { send } from './clients.ts'
import { kind, type Machine, startMachine } from './machines.ts'
import { type Policy, startHaproxy } from './policies.ts'

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
async function places(socket: string, agent: Agent): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = []
  const names = Array.from({ length: sessions }, (_, index) => index)
  const ask = async () => {
    for (let index = names.pop(); index !== undefined; index = names.pop())
      found[index] = (await send(socket, `session-${index}`, 1, agent)).machine
  }
  await Promise.all(Array.from({ length: atOnce }, ask))
  return found
}

export async function countMoves(size: number, policy: Policy): Promise<Moves> {
  // A request that takes no time.
  const machines: Machine[] = []
  for (let index = 0; index <= size; index += 1) machines.push(await startMachine(0, 1))
  const last = machines.at(-1) as Machine
  const ports = machines.map(({ port }) => port)
  const haproxy = await startHaproxy(policy, ports.slice(0, -1), kind.slots, 1)
  const agent = new Agent({ maxSockets: atOnce })
  try {
    const before = await places(haproxy.socket, agent)
    await haproxy.add(last.port)
    const after = await places(haproxy.socket, agent)
    const moved = after.filter((machine, index) => machine !== before[index])
    const gained = moved.filter(machine => machine === last.port).length
    return { size, policy, gained: gained / sessions, between: (moved.length - gained) / sessions }
  } finally {
    agent.destroy()
    await haproxy.stop()
    for (const machine of machines) machine.stop()
  }
}
