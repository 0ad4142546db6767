/** The real HAProxy with a router's configuration, or with another way to choose a server in it. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { paths } from '../../../lib/appliance/paths.ts'
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

/** `faster`: how many times faster than in truth time runs; nobody waits longer in a queue for it. */
function configurationOf(policy: Policy, faster: number): string {
  const text = routerConfiguration(3600).text.replace(
    'timeout queue 1s',
    `timeout queue ${Math.ceil(1000 / faster)}ms`,
  )
  if (policy === 'ours') return text
  return text
    .replace('balance leastconn', balances[policy])
    .replace(/^ *(http-request lua\.choose|use-server .*|http-request del-header X-Copilot-Session)$/gm, '')
}

export type Haproxy = {
  socket: string
  repeatedSocket: string
  pid: number
  /** Adds one that is not in the order of the others. */
  add(port: number): Promise<void>
  stop(): Promise<void>
}

/** Starts it with these servers, by port. */
export async function startHaproxy(
  policy: Policy,
  ports: number[],
  slots: number,
  faster: number,
): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-fleet-'))
  const here = (text: string) =>
    text.replaceAll(paths.admissionFolder, folder).replaceAll(paths.routerProgram, join(folder, 'router.lua'))
  writeFileSync(join(folder, 'router.cfg'), here(configurationOf(policy, faster)))
  writeFileSync(join(folder, 'router.lua'), routerProgram().text)
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
  let count = 0
  const add = async (port: number) => {
    count += 1
    const name = `vm${count}`
    const commands = [
      `add server fleet/${name} 127.0.0.1:${port} maxconn ${slots} maxqueue 1 check inter 2s fall 2 rise 1`,
      `enable health fleet/${name}`,
      `enable server fleet/${name}`,
      `fleet set ${name} ${slots} ${count * 7_368_787} m -`,
    ]
    for (const command of commands) await ask(here(paths.routerControl), `${command}\n`, 5)
  }
  for (const port of ports) await add(port)
  return {
    socket,
    repeatedSocket: here(paths.repeatedSocket),
    pid: haproxy.pid as number,
    add,
    stop: async () => {
      await haproxy.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
