/** The real HAProxy with a router's configuration, or with another way to choose a server in it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { paths } from '../../../lib/appliance/paths.ts'
import { mostAttempts } from '../../../lib/appliance/requests/api.ts'
import { serversIn, spare } from '../../../lib/render/fleet/commands.ts'
import { routerConfiguration, routerProgram } from '../../../lib/render/fleet/haproxy.ts'
import { ask } from '../../../lib/system/conversations.ts'
import { http } from '../../../lib/system/http.ts'
import { watch } from '../../../packer/build/watch.ts'

export const policies = ['round robin', 'least connections', 'bounded hash', 'ours'] as const
export type Policy = (typeof policies)[number]

/** What replaces our choice. `bounded hash` is HAProxy's own consistent hashing, with the factor that its manual names. */
const balances: Record<Exclude<Policy, 'ours'>, string> = {
  'round robin': 'balance roundrobin',
  'least connections': 'balance leastconn',
  'bounded hash': `balance hash req.hdr(x-copilot-session)
    hash-type consistent
    hash-balance-factor 125`,
}

/** The bench's time stands still while a request waits for a slot, so that it need not wait, nor believe what it knew before. */
function configurationOf(policy: Policy): string {
  const text = routerConfiguration(3600).text.replace('timeout queue 1s', 'timeout queue 1ms')
  if (policy === 'ours') return text
  return text
    .replace('balance leastconn', balances[policy])
    .replace(
      /^ *(http-request lua\.choose|http-response lua\.refused.*|use-server .*|http-request del-header X-Copilot-Session)$/gm,
      '',
    )
}

export type Haproxy = {
  socket: string
  repeatedSocket: string
  /** How often a request is sent that is refused. HAProxy's own policies do not try another server each time. */
  attempts: number
  pid: number
  /** Adds a server. */
  add(port: number): Promise<void>
  /** Waits until HAProxy says so of the server at this port. */
  untilState(port: number, state: RegExp): Promise<void>
  stop(): Promise<void>
}

/** Starts it with these servers, by port. */
export async function startHaproxy(policy: Policy, ports: number[], slots: number): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-fleet-'))
  const here = (text: string) =>
    text.replaceAll(paths.admissionFolder, folder).replaceAll(paths.routerProgram, join(folder, 'router.lua'))
  writeFileSync(join(folder, 'router.cfg'), here(configurationOf(policy)))
  const waits = /(slot_timeout, poll_interval, result_lifetime =).*/
  const { text: programText } = routerProgram()
  if (!waits.test(programText)) throw new Error('the program has no waits to switch off')
  const program = programText.replace(waits, '$1 0, 1, 0')
  writeFileSync(join(folder, 'router.lua'), program)
  const haproxy = watch(
    spawn('haproxy', ['-db', '-f', join(folder, 'router.cfg')], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  const socket = here(paths.admissionSocket)
  await haproxy.until(() =>
    http({ url: 'http://x/health', socket, timeout: 5 }).then(
      () => true,
      () => false,
    ),
  )
  const names = new Map<number, string>()
  const control = (command: string) => ask(here(paths.routerControl), `${command}\n`, 5)
  // Ours counts the slots itself.
  const most = policy === 'ours' ? slots + spare : slots
  const add = async (port: number) => {
    const name = `vm${names.size + 1}`
    names.set(port, name)
    const commands = [
      `add server fleet/${name} 127.0.0.1:${port} maxconn ${most} maxqueue 1 check inter 2s fall 2 rise 1`,
      `enable health fleet/${name}`,
      `enable server fleet/${name}`,
      `fleet set ${name} ${slots} ${names.size * 7_368_787} m -`,
    ]
    for (const command of commands) await control(command)
  }
  const untilState = async (port: number, state: RegExp) => {
    const servers = async () => serversIn(await control('show stat fleet 4 -1'))
    const isThere = async () =>
      (await servers()).some(server => server.name === names.get(port) && state.test(server.state))
    while (!(await isThere())) await setTimeout(100)
  }
  for (const port of ports) await add(port)
  return {
    socket,
    repeatedSocket: here(paths.repeatedSocket),
    attempts: policy === 'ours' ? mostAttempts : 2,
    pid: haproxy.pid as number,
    add,
    untilState,
    stop: async () => {
      await haproxy.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
