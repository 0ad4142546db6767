/** Copilots for the bench: each holds requests until it is told that they are computed, and remembers prompts as a VM would. */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A VM: slots, tokens per second, and conversations whose prompts it keeps. */
export const kind = { slots: 4, prompt: 50, generation: 8, remembered: 32 }
/** Tokens of an answer. */
export const answer = 300

/** A request that a machine has begun. `seconds`: what it takes. */
export type Task = { id: string; computed: number; seconds: number; end(): void }

export type Machine = {
  port: number
  busy: number
  /** Requests that it has been given. */
  requests: number
  isLost: boolean
  lose(): void
  restore(): void
  stop(): void
}

/** `slowness`: how many times slower than the others it is; `begun`: called with each request that it takes. */
export async function startMachine(slowness: number, begun: (task: Task) => void): Promise<Machine> {
  const cache = new Map<string, number>()
  const machine: Machine = {
    port: 0,
    busy: 0,
    requests: 0,
    isLost: false,
    lose: () => {
      Object.assign(machine, { isLost: true, busy: 0 })
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
  const end = (response: ServerResponse, session: string, tokens: number, computed: number) => {
    machine.busy -= 1
    cache.delete(session)
    cache.set(session, tokens + answer)
    if (cache.size > kind.remembered) cache.delete(cache.keys().next().value as string)
    response.end(JSON.stringify({ computed, machine: machine.port }))
  }
  const server = createServer((request, response) => {
    if (machine.isLost) return void request.socket.destroy()
    if (request.url === '/health') return void response.end('{}')
    const header = (name: string) => String(request.headers[name])
    const [session, tokens] = [header('x-session'), Number(header('x-tokens'))]
    if (machine.busy >= kind.slots) return void response.writeHead(429).end()
    machine.busy += 1
    machine.requests += 1
    response.writeHead(200).flushHeaders()
    const computed = tokens - Math.min(cache.get(session) ?? 0, tokens)
    begun({
      id: header('x-request-id'),
      computed,
      seconds: slowness * (computed / kind.prompt + answer / kind.generation),
      end: () => end(response, session, tokens, computed),
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  machine.port = (server.address() as AddressInfo).port
  return machine
}
