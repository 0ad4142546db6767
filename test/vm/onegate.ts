/**
 * A stand-in for OneGate's server: accepts all requests and logs each as a line of JSON.
 * `node onegate.ts PORT FILE` runs beside a VM until the VM is stopped.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** `data`: what `onegate vm update` sent, such as READY=YES; `erase`: the name given to --erase. */
export type OneGateUpdate = { token: string; vmId: string; data?: string; erase?: string }

/** Starts the server as a separate process; resolves with its process ID once it is listening. */
export async function spawnOneGate(port: number, file: string): Promise<number> {
  const server = spawn(process.execPath, [import.meta.filename, String(port), file], {
    detached: true,
    stdio: 'ignore',
  })
  server.unref()
  while (!existsSync(file)) {
    if (server.exitCode !== null) throw new Error(`the OneGate stand-in did not start at port ${port}`)
    await setTimeout(50)
  }
  return server.pid as number
}

/** The attributes that OneGate shows after these updates; each is one line of the text, in quotes or not. */
export function shownAfter(updates: OneGateUpdate[]): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const { data = '', erase } of updates) {
    for (const [, name = '', value = ''] of data.matchAll(/^(\w+) *= *"?(.*?)"?$/gm)) shown[name] = value
    if (erase !== undefined) delete shown[erase]
  }
  return shown
}

export const readUpdates = (file: string): OneGateUpdate[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))

/** What it answers to `GET /service?extended=true`; 404 without the file, as for a VM that is in no service. */
export const serviceFile = (file: string): string => `${file}.service`

/** The server; `answer` responds, by default at once and with success. */
export const oneGateServer = (
  onUpdate: (update: OneGateUpdate) => void,
  answer: (response: ServerResponse) => void = response => void response.end(),
): Server =>
  createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const form = new URLSearchParams(body)
      const value = form.get('data') ?? ''
      onUpdate({
        token: String(request.headers['x-onegate-token']),
        vmId: String(request.headers['x-onegate-vmid']),
        ...(form.get('type') === '2' ? { erase: value } : { data: value }),
      })
      answer(response)
    })
  })

function serve(port: number, file: string): void {
  const log = (update: OneGateUpdate) => appendFileSync(file, `${JSON.stringify(update)}\n`)
  const server = oneGateServer(log)
  const [updates] = server.listeners('request') as [RequestListener]
  server.removeAllListeners('request').on('request', (request, response) => {
    if (request.method !== 'GET') return updates(request, response)
    const service = serviceFile(file)
    const isKnown = request.url === '/service?extended=true' && existsSync(service)
    return isKnown ? response.end(readFileSync(service)) : response.writeHead(404).end()
  })
  server.listen(port, '127.0.0.1', () => appendFileSync(file, ''))
}

if (process.argv[1] === import.meta.filename) serve(Number(process.argv[2]), String(process.argv[3]))
