/**
 * A router and copilots, each a machine with an address of its own in one network: they find each other, and nothing is
 * lost when one joins or drains; of one that is killed, only what it was saying.
 */
import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { HttpAnswer } from '../../lib/system/http.ts'
import { startNetwork } from '../../packer/build/container.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask } from './client.ts'
import { type Machine, oneGateLog, pidOf } from './machine.ts'
import { serviceFile } from './onegate.ts'
import { shownAtOneGate } from './ready.ts'
import { readyContainer } from './shared.ts'
import { sshOutput } from './ssh.ts'

const alice = 'alices-own-key-0123'
const fleet = { ONEAPP_COPILOT_FLEET_KEY: 'the-key-of-the-fleet-1' }
const copilotContext = { ...fleet, ONEAPP_COPILOT_PARALLEL: '8', ONEAPP_COPILOT_CONTEXT_SIZE: '2048' }
const routerContext = { ...fleet, ONEAPP_COPILOT_ROLE: 'router', ONEAPP_COPILOT_KEYS: `alice=${alice}` }
/** Sorted before the other network's: a copilot publishes its first address. */
const addresses = { router: '10.0.1.10', first: '10.0.1.11', second: '10.0.1.12', third: '10.0.1.13' }
type Name = Exclude<keyof typeof addresses, 'router'>

let network: Awaited<ReturnType<typeof startNetwork>>
let router: Machine
let access: AccessFiles
const copilots = new Map<Name, Machine>()
const at = (name: Name) => copilots.get(name) as Machine

const begun = Date.now()
const note = (text: string) =>
  console.log(`${((Date.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${text}`)

const nodeOf = (NAME: string, ID: number, IP: string, USER_TEMPLATE: Record<string, string>) => ({
  vm_info: { VM: { ID, NAME, TEMPLATE: { NIC: { IP } }, USER_TEMPLATE } },
})
const impostors: ReturnType<typeof nodeOf>[] = []

/** What OneGate answers to the router: all copilots that there are, with what each has published. */
function tellService(): void {
  const published = [...copilots].map(([name, machine], id) =>
    nodeOf(name, id, addresses[name], shownAtOneGate(machine)),
  )
  const nodes = [...published, ...impostors]
  writeFileSync(
    serviceFile(oneGateLog(router)),
    JSON.stringify({ SERVICE: { roles: [{ name: 'copilot', nodes }] } }),
  )
}

async function boot(name: keyof typeof addresses): Promise<Machine> {
  const context = name === 'router' ? routerContext : copilotContext
  const machine = await readyContainer(name, context, { pid: network.pid, address: addresses[name] })
  note(`${name} has booted`)
  return machine
}

let telling: NodeJS.Timeout
// One copilot boots before the router, one after it.
beforeAll(async () => {
  network = await startNetwork()
  copilots.set('first', await boot('first'))
  router = await boot('router')
  tellService()
  telling = setInterval(tellService, 500)
  copilots.set('second', await boot('second'))
  access = await readAccess(router)
})
afterAll(() => {
  clearInterval(telling)
  network?.stop()
})

const run = (machine: Machine, command: string) => sshOutput(machine, command)

/** This machine may be busy with other tests. */
const eventually = <T>(look: () => T) => expect.poll(look, { timeout: 120_000, interval: 250 })

/** The router's line about a copilot: its address, model, busy slots and state. */
const listed = async (name: string) =>
  (await run(router, 'slm-copilot backends')).split('\n').find(line => line.startsWith(`${name}-`)) ?? ''

/** Waits until that line matches; resolves with the seconds that it took. */
async function untilListed(name: string, pattern: RegExp): Promise<string> {
  const start = Date.now()
  await eventually(() => listed(name)).toMatch(pattern)
  return ((Date.now() - start) / 1000).toFixed(1)
}

const isUp = / UP$/
const isGone = /^$/

const chat = (session: string, tokens: number): Promise<HttpAnswer> =>
  ask(access, '/v1/chat/completions', {
    json: { messages: [{ role: 'user', content: 'Hi' }], stream: true, max_tokens: tokens, ignore_eos: true },
    headers: { authorization: `Bearer ${alice}`, 'x-session-affinity': session },
    timeout: 120,
  })

/** `whole`, or how a stream has ended otherwise. */
const endOf = (stream: Promise<HttpAnswer>): Promise<string> =>
  stream.then(
    ({ status, body }) =>
      status === 200 && body.trimEnd().endsWith('data: [DONE]') ? 'whole' : `${status} ${body.slice(-200)}`,
    (error: Error) => error.message,
  )

/** Asks until there is a slot. */
async function untilAdmitted(session: string, tokens: number): Promise<HttpAnswer> {
  for (;;) {
    const answer = await chat(session, tokens)
    if (answer.status !== 429) return answer
    await sleep(500)
  }
}

const answersIn = async (machine: Machine, pattern: string) =>
  Number(await run(machine, `grep -c '${pattern}' /var/log/nginx/slm-copilot.access || true`))

/** How many of alice's requests each copilot has answered. */
const answered = async () =>
  new Map(
    await Promise.all(
      [...copilots].map(
        async ([name, machine]): Promise<[Name, number]> => [
          name,
          await answersIn(machine, 'tenant=alice .*path=/v1/chat/completions status=200'),
        ],
      ),
    ),
  )

it('the copilots are found, whichever boots first, each verified against its own CA', async () => {
  note(`first is listed after ${await untilListed('first', isUp)} s`)
  note(`second is listed after ${await untilListed('second', isUp)} s`)
  for (const name of ['first', 'second'] as const) expect(await listed(name)).toContain(addresses[name])
  const authorities = await Promise.all(
    [router, at('first'), at('second')].map(machine => run(machine, 'cat /etc/ssl/slm-copilot/ca.crt')),
  )
  expect(new Set(authorities).size).toBe(3)
  expect((await chat('s', 5)).status).toBe(200)
  expect(await run(router, 'slm-copilot status; exit 0')).toMatch(
    /is serving a fleet[\s\S]* 16 slots[\s\S]*first-0 +up, /,
  )
})

it('what has another’s certificate gets no requests', async () => {
  const { ONEAPP_COPILOT_CA = '' } = shownAtOneGate(at('first'))
  // As if it had the other's address, too; and as it is.
  const shown = shownAtOneGate(at('second'))
  impostors.push(nodeOf('impostor', 9, addresses.second, { ...shown, ONEAPP_COPILOT_CA }))
  impostors.push(nodeOf('thief', 10, '10.0.1.99', shown))
  note(`an impostor is refused after ${await untilListed('impostor', / DOWN$/)} s`)
  expect(await listed('thief')).toBe('')
  expect(await run(router, 'journalctl -u slm-copilot-backends -o cat')).toContain(
    `thief-10: it publishes ${addresses.second}, which OpenNebula has not given to this VM (10.0.1.99)`,
  )
  impostors.length = 0
  await untilListed('impostor', isGone)
})

it('a session stays on its copilot over 50 requests', async () => {
  const before = await answered()
  for (let index = 0; index < 10; index += 1) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => chat('stays', 3)))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  }
  const by = async () =>
    [...(await answered())].map(([name, count]) => count - (before.get(name) ?? 0)).sort()
  // The last line may be on its way to the log.
  await eventually(by).toEqual([0, 50])
  note('50 requests of one session: all on one copilot')
})

it('a request has the same id in both machines’ logs', async () => {
  const id = String((await chat('s', 3)).headers['x-request-id'])
  const lines = () =>
    Promise.all([router, ...copilots.values()].map(machine => answersIn(machine, `id=${id} .*tenant=alice`)))
  await eventually(async () => (await lines()).toSorted()).toEqual([0, 1, 1])
  expect((await lines())[0]).toBe(1)
})

/** So many of this copilot's sessions, answered at the same time: each on a connection of its own. */
async function sessionsOf(name: Name, count: number): Promise<string[]> {
  const isThere = async (session: string) => {
    const id = String((await untilAdmitted(session, 3)).headers['x-request-id'])
    await eventually(async () => {
      const lines = [...copilots.values()].map(machine => answersIn(machine, `id=${id} .*status=200`))
      return (await Promise.all(lines)).includes(1)
    }).toBe(true)
    return (await answersIn(at(name), `id=${id} .*status=200`)) === 1
  }
  const found: string[] = []
  for (let index = 0; found.length < count; index += 1)
    if (await isThere(`session-${index}`)) found.push(`session-${index}`)
  await Promise.all(found.map(session => untilAdmitted(session, 3)))
  return found
}

let third: Machine | undefined
it('nothing is lost while one joins and one drains under 20 streaming clients', async () => {
  // If this is tried once more, it runs already, and the first one has to come back.
  third ??= await boot('third')
  await run(at('first'), 'slm-copilot drain --undo')
  await untilListed('first', isUp)
  const ends: string[] = []
  let isOver = false
  const clients = Array.from({ length: 20 }, async (_, index) => {
    while (!isOver) ends.push(await endOf(untilAdmitted(`client-${index}`, 40)))
  })
  const untilMoreEnded = async () => {
    const before = ends.length
    await eventually(() => ends.length).toBeGreaterThan(before + 20)
  }
  try {
    await untilMoreEnded()
    copilots.set('third', third)
    note(`third joins after ${await untilListed('third', isUp)} s`)
    await eventually(async () => (await answered()).get('third')).toBeGreaterThan(0)
    note(`first drains: ${await listed('first')}`)
    const drained = run(at('first'), 'slm-copilot drain')
    note(`first has left after ${await untilListed('first', isGone)} s`)
    await drained
    await untilMoreEnded()
  } finally {
    isOver = true
    await Promise.all(clients)
  }
  const lost = ends.filter(end => end !== 'whole')
  note(`${ends.length} streams, of which ${lost.length} were lost ${lost.join(', ')}`.trimEnd())
  expect(lost).toEqual([])
})

it('of one that is killed, only what it was saying is lost', async () => {
  const start = Date.now()
  const since = () => ((Date.now() - start) / 1000).toFixed(1)
  const streams = Array.from({ length: 10 }, async (_, index) => {
    const end = await endOf(chat(`killed-${index}`, 1600))
    return { end, at: since() }
  })
  const busy = async (name: Name) => Number(/ (\d+)\/8 /.exec(await listed(name))?.[1])
  await eventually(async () => (await busy('second')) + (await busy('third'))).toBe(10)
  const speaking = await busy('second')
  // The router keeps the connections on which these were answered.
  const sessions = await sessionsOf('second', 3)
  // As if its hypervisor had lost power: nobody closes its connections.
  network.cut(addresses.second)
  process.kill(pidOf(at('second')) as number, 'SIGKILL')
  copilots.delete('second')
  note(`second is killed while it says ${speaking} of 10 answers`)
  const killed = since()
  const next = await Promise.all(
    sessions.map(async session => {
      const { status } = await untilAdmitted(session, 3)
      return { status, at: since() }
    }),
  )
  note(`at ${killed} s; next requests: ${next.map(({ status, at }) => `${status} at ${at} s`).join(', ')}`)
  expect(next.map(({ status }) => status)).toEqual(sessions.map(() => 200))
  const ends = await Promise.all(streams)
  note(`streams: ${ends.map(({ end, at }) => `${end} at ${at} s`).join(', ')}`)
  const lost = ends.map(({ end }) => end).filter(end => end !== 'whole')
  // One or two may have ended since they were counted.
  expect(lost.length).toBeGreaterThan(0)
  expect(lost.length).toBeLessThanOrEqual(speaking)
  expect(new Set(lost)).toEqual(new Set(['aborted']))
  await untilListed('second', isGone)
})

it('while OneGate is away, the copilots known last stay', async () => {
  clearInterval(telling)
  rmSync(serviceFile(oneGateLog(router)))
  await eventually(() => run(router, 'tail -n 5 /var/log/one-appliance/slm-copilot.log')).toMatch(
    /The fleet is not fully known: OneGate answered 404/,
  )
  expect((await chat('s', 3)).status).toBe(200)
})

it('a router lets the streams end that pass through it', async () => {
  const stream = endOf(chat('last', 1600))
  await eventually(() => listed('third')).toMatch(/ 1\/8 /)
  const drained = run(router, 'slm-copilot drain')
  const health = async () => JSON.parse((await ask(access, '/health')).body).status
  await eventually(health).toBe('draining')
  const refused = await chat('new', 3)
  expect([refused.status, JSON.parse(refused.body).error.code]).toEqual([503, 'draining'])
  expect(await stream).toBe('whole')
  await drained
  await run(router, 'slm-copilot drain --undo')
  expect((await chat('s', 3)).status).toBe(200)
  note('the router has drained, and serves again')
})
