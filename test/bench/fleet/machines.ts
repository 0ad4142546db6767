/** Copilots for the bench: each holds a request for as long as a VM would compute it, and remembers prompts as one would. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A VM: slots, tokens per second, and conversations whose prompts it keeps. */
export const kind = { slots: 4, prompt: 50, generation: 8, remembered: 32 }
/** Tokens of an answer. */
export const answer = 300

export type Machine = {
  port: number
  busy: number
  /** Requests that it has been given, and prompt tokens that it has computed. */
  requests: number
  computed: number
  isLost: boolean
  lose(): void
  restore(): void
  stop(): void
}

/** `slowness`: how many times slower than the others it is, or 0 to answer at once; `faster`: how many times faster than in truth time runs. */
export async function startMachine(slowness: number, faster: number): Promise<Machine> {
  const cache = new Map<string, number>()
  const machine: Machine = {
    port: 0,
    busy: 0,
    requests: 0,
    computed: 0,
    isLost: false,
    lose: () => {
      machine.isLost = true
      cache.clear()
      server.closeAllConnections()
    },
    restore: () => {
      machine.isLost = false
    },
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
  const server: Server = createServer((request, response) => {
    if (machine.isLost) return void request.socket.destroy()
    if (request.url === '/health') return void response.end('{}')
    const session = String(request.headers['x-session'])
    const tokens = Number(request.headers['x-tokens'])
    if (machine.busy >= kind.slots) return void response.writeHead(429).end()
    machine.busy += 1
    machine.requests += 1
    const known = Math.min(cache.get(session) ?? 0, tokens)
    const computed = tokens - known
    machine.computed += computed
    const seconds = (slowness * (computed / kind.prompt + answer / kind.generation)) / faster
    let isDone = false
    const leave = () => {
      if (!isDone) machine.busy -= 1
      isDone = true
    }
    response.on('close', leave)
    setTimeout(() => {
      leave()
      if (machine.isLost) return
      cache.delete(session)
      cache.set(session, tokens + answer)
      if (cache.size > kind.remembered) cache.delete(cache.keys().next().value as string)
      response.end(JSON.stringify({ computed, machine: machine.port }))
    }, seconds * 1000)
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  machine.port = (server.address() as AddressInfo).port
  return machine
}
