/** A router and copilots on this machine: the real edge proxies and HAProxy; what answers as llama-server is a stand-in. */
import { X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { modelServices, paths } from '../../../lib/appliance/paths.ts'
import { ask as conversation } from '../../../lib/system/conversations.ts'
import { openHost } from '../../../lib/system/host.ts'
import { type HttpAnswer, http } from '../../../lib/system/http.ts'
import { syncBackends } from '../../../lifecycle/backends.ts'
import { type Edge, startEdge } from './stack.ts'
import { type StandIn, startStandIn } from './stand-in-llama.ts'

export const fleetKey = 'the-key-of-the-fleet-1'
export const keys = { alice: 'alices-own-key-0123', bob: 'bobs-very-own-key-1' }

export type TestCopilot = {
  edge: Edge
  /** `https://ADDRESS=FINGERPRINT`. */
  address: string
  /** What has reached its llama-server: bodies of generations, in order. */
  bodies: string[]
  /** Streams that have not ended. */
  open: Set<ServerResponse>
  /** Responses that are yet to be given. */
  waiting: ServerResponse[]
  /** What it answers now: a stream that ends at once, one that is held open, nothing yet, or this status. */
  mode: { is: 'answer' | 'hold' | 'wait' | number }
  /** The status of its health. */
  health: { status: number }
  stop(): Promise<void>
}

const event = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }] })}\n\n`

/** The models of all services beside chat, on the tests' mirror. */
const beside = { completion: 'infill', embeddings: 'vectors', reranking: 'ranker' }

/** A copilot with so many slots, whose llama-server is a stand-in, as are those of the services beside chat. */
export async function startCopilot(
  name: string,
  slots: number,
  kinds: (keyof typeof beside)[] = [],
): Promise<TestCopilot> {
  const companions = kinds.map(kind => beside[kind])
  const edge = await startEdge(
    {
      ONEAPP_COPILOT_FLEET_KEY: fleetKey,
      ONEAPP_COPILOT_PARALLEL: String(slots),
      ONEAPP_COPILOT_COMPLETION: kinds.includes('completion') ? beside.completion : 'NO',
      ONEAPP_COPILOT_EMBEDDINGS: companions.filter(one => one !== beside.completion).join(' '),
    },
    { companions },
  )
  const copilot = {
    edge,
    bodies: [] as string[],
    open: new Set<ServerResponse>(),
    waiting: [] as ServerResponse[],
    mode: { is: 'answer' as const },
    health: { status: 200 },
  }
  const state: Pick<TestCopilot, 'mode'> = copilot
  const standIn: StandIn = await startStandIn(edge, (request, response, body) => {
    const json = (value: unknown, status = 200) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (request.url === '/health') return void json({ status: 'ok' }, copilot.health.status)
    if (request.url === '/v1/models') return void json({ data: [{ id: 'sentence' }] })
    if (request.url === '/props')
      return void json({ total_slots: slots, default_generation_settings: { n_ctx: 4096 } })
    if (typeof state.mode.is === 'number') return void response.writeHead(state.mode.is).end('{}')
    if (state.mode.is === 'wait') return void copilot.waiting.push(response)
    copilot.bodies.push(body.toString())
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event(name))
    copilot.open.add(response)
    response.on('close', () => copilot.open.delete(response))
    if (state.mode.is === 'answer') response.end('data: [DONE]\n\n')
  })
  const standIns = [standIn]
  for (const kind of kinds) {
    const socket = join(edge.root, modelServices[kind].socket)
    mkdirSync(dirname(socket), { recursive: true })
    standIns.push(
      await startStandIn({ socket }, (request, response) => {
        response.setHeader('content-type', 'application/json').write(`{"content":"${name}",`)
        copilot.open.add(response)
        response.on('close', () => copilot.open.delete(response))
        if (state.mode.is === 'answer') response.end(`"path":"${request.url}"}`)
      }),
    )
  }
  const fingerprint = new X509Certificate(edge.ca).fingerprint256
  return {
    ...copilot,
    address: `${edge.url}=${fingerprint}`,
    stop: async () => {
      for (const each of standIns) await each.stop()
      await edge.close()
    },
  }
}

export type TestRouter = Edge & {
  sync(): Promise<string[]>
  /** Makes it forget which copilots have lately refused or failed a request. */
  forget(): Promise<void>
}

/** A router of these copilots, or with OneGate's in `oneGate`; `sync` looks for them, and resolves with what it logs. */
export async function startRouter(
  backends: string[],
  context: Record<string, string> = {},
  oneGate = '',
): Promise<TestRouter> {
  const edge = await startEdge({
    ONEAPP_COPILOT_ROLE: 'router',
    ONEAPP_COPILOT_FLEET_KEY: fleetKey,
    ONEAPP_COPILOT_BACKENDS: backends.join(' '),
    ONEAPP_COPILOT_KEYS: Object.entries(keys)
      .map(([name, key]) => `${name}=${key}`)
      .join('\n'),
    ...context,
  })
  const host = openHost({ env: {}, root: edge.root })
  if (oneGate !== '')
    host.files.replace(paths.contextFile, `TOKENTXT="t"\nVMID="0"\nONEGATE_ENDPOINT="${oneGate}"\n`, 0o600)
  const sync = async () => {
    const lines: string[] = []
    const log = (line: string) => void lines.push(line)
    await syncBackends({ ...host, log: { ...host.log, info: log, warn: log, error: log } })
    return lines
  }
  await sync()
  const forget = async () => {
    const control = (command: string) => conversation(host.files.at(paths.routerControl), `${command}\n`, 5)
    const names = (await control('fleet list')).split('\n').filter(Boolean)
    for (const line of names) await control(`fleet remove ${line.split(' ')[0]}`)
    await sync()
  }
  return { ...edge, sync, forget }
}

export type Asking = {
  key?: string
  session?: string
  headers?: Record<string, string>
  body?: Record<string, unknown>
  path?: string
  timeout?: number
}

/** What a router answers to a chat; by default, its stream until it ends. */
export const ask = (
  { url, ca }: Pick<Edge, 'url' | 'ca'>,
  { key = keys.alice, session, headers, body, path = '/v1/chat/completions', timeout = 20 }: Asking = {},
): Promise<HttpAnswer> =>
  http({
    url: url + path,
    ca,
    headers: {
      authorization: `Bearer ${key}`,
      ...(session !== undefined && { 'x-session-affinity': session }),
      ...headers,
    },
    json: { messages: [{ role: 'user', content: 'Hi' }], stream: true, ...body },
    timeout,
  })

/** The copilot that has answered. */
export const answeredBy = ({ body }: HttpAnswer): string =>
  /"content":"([^"]*)"/.exec(body)?.[1] ?? body.slice(0, 200)

/** Waits until a condition holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries += 1) {
    if (holds()) return
    await setTimeout(20)
  }
  throw new Error('the condition did not come true within 10 s')
}

export const logOf = ({ accessLog }: Edge): string => readFileSync(accessLog, 'utf8')

/** Makes copilots answer as by default, ends their streams with this text, and waits until all have ended. */
export async function settle(copilots: TestCopilot[], end = ''): Promise<void> {
  for (const copilot of copilots) {
    copilot.mode.is = 'answer'
    for (const response of copilot.open) response.end(end)
  }
  await until(() => copilots.every(({ open }) => open.size === 0))
}

/** A OneGate on this machine that answers each request by this function. */
export async function startOneGate(answer: RequestListener): Promise<{ url: string; close(): void }> {
  const server = createServer(answer)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() }
}

/** What OneGate shows of a copilot in the answer to `/service`. `published`: attributes besides the usual ones. */
export const nodeOf = (copilot: TestCopilot, published: Record<string, string> = {}) => ({
  vm_info: {
    VM: {
      ID: String(copilot.edge.httpsPort),
      NAME: 'copilot',
      USER_TEMPLATE: {
        READY: 'YES',
        ONEAPP_COPILOT_API: `${copilot.edge.url}/v1`,
        ONEAPP_COPILOT_SERVED_MODEL: 'sentence',
        ONEAPP_COPILOT_SLOTS: '2',
        ONEAPP_COPILOT_CA: Buffer.from(copilot.edge.ca).toString('base64'),
        ...published,
      },
    },
  },
})
