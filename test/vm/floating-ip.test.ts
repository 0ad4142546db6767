/**
 * Two routers with one floating address: one has it, the other takes it when that one is killed or has been drained, and
 * who comes back interrupts nothing. The client is a machine in their network: the copilot.
 */
import { writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startNetwork } from '../../packer/build/container.ts'
import { issued } from '../support/certificates.ts'
import { rightClock } from '../support/clock.ts'
import { killMachine, type Machine, oneGateLog } from './machine.ts'
import { serviceFile } from './onegate.ts'
import { shownAtOneGate } from './ready.ts'
import { readyContainer } from './shared.ts'
import { sshOutput } from './ssh.ts'

const floating = '10.0.1.100'
/** Sorted before the other network's: a copilot publishes its first address. */
const addresses = { copilot: '10.0.1.11', one: '10.0.1.12', two: '10.0.1.13' }
type Router = 'one' | 'two'

const { leaf, ca } = issued({ dns: [], ip: [floating] }, rightClock(new Date()))
const inBase64 = (text: string) => Buffer.from(text).toString('base64')
const password = 'the-same-on-both-1'
const fleet = { ONEAPP_COPILOT_FLEET_KEY: 'the-key-of-the-fleet-1' }
const contexts = {
  copilot: { ...fleet, ONEAPP_COPILOT_PARALLEL: '4', ONEAPP_COPILOT_CONTEXT_SIZE: '2048' },
  router: {
    ...fleet,
    ONEAPP_COPILOT_ROLE: 'router',
    ONEAPP_COPILOT_FLOATING_IP: floating,
    ONEAPP_COPILOT_PASSWORD: password,
    ONEAPP_COPILOT_TLS_CERT: inBase64(leaf.certificate + ca.certificate),
    ONEAPP_COPILOT_TLS_KEY: inBase64(leaf.key),
  },
}

let network: Awaited<ReturnType<typeof startNetwork>>
let copilot: Machine
const routers = new Map<Router, Machine>()

const boot = (name: keyof typeof addresses) =>
  readyContainer(name, name === 'copilot' ? contexts.copilot : contexts.router, {
    pid: network.pid,
    address: addresses[name],
  })

async function bootRouter(name: Router): Promise<void> {
  const router = await boot(name)
  const NIC = { IP: addresses.copilot }
  const VM = { ID: 0, NAME: 'copilot', TEMPLATE: { NIC }, USER_TEMPLATE: shownAtOneGate(copilot) }
  const roles = [{ name: 'copilot', nodes: [{ vm_info: { VM } }] }]
  writeFileSync(serviceFile(oneGateLog(router)), JSON.stringify({ SERVICE: { roles } }))
  routers.set(name, router)
  await sshOutput(router, "until slm-copilot backends | grep -q ' UP$'; do sleep 0.5; done")
}

const run = (name: Router, command: string) => sshOutput(routers.get(name) as Machine, command)

/** Which of the routers have the address: exactly one should. */
async function holders(): Promise<Router[]> {
  const has = async (name: Router) => (await run(name, 'hostname -I')).split(' ').includes(floating)
  const found = await Promise.all(
    [...routers.keys()].map(async (name): Promise<Router[]> => ((await has(name)) ? [name] : [])),
  )
  return found.flat()
}

const other = (name: Router): Router => (name === 'one' ? 'two' : 'one')

beforeAll(async () => {
  network = await startNetwork()
  copilot = await boot('copilot')
  await Promise.all([bootRouter('one'), bootRouter('two')])
  const settings = `cacert = "/root/ca.crt"\nheader = "Authorization: Bearer ${password}"\nheader = "Content-Type: application/json"\nsilent\n`
  await sshOutput(copilot, 'cat > /root/ca.crt', ca.certificate)
  await sshOutput(copilot, 'cat > /root/client', settings)
})
afterAll(() => network?.stop())

const ask = (tokens: number) =>
  `curl -K /root/client -d '{"messages":[{"role":"user","content":"Hi"}],"stream":true,"max_tokens":${tokens},"ignore_eos":true}' https://${floating}/v1/chat/completions`

/** Asks all the time while something happens. Returns each answer's status, and the longest time without a good one in seconds. */
async function whileAsking(act: () => Promise<unknown>): Promise<{ statuses: string[]; gap: number }> {
  await sshOutput(copilot, 'rm -f /root/stop; true > /root/answers')
  const asking = sshOutput(
    copilot,
    `until [ -e /root/stop ]; do
      echo "$(${ask(1)} --max-time 2 --output /dev/null --write-out '%{http_code}') $(date +%s.%N)" >> /root/answers
      sleep 0.1
    done`,
  )
  const good = 'grep -c ^200 /root/answers'
  const oneMore = `before=$(${good}); until [ "$(${good})" -gt "$before" ]; do sleep 0.1; done`
  await sshOutput(copilot, oneMore)
  try {
    await act()
    await sshOutput(copilot, oneMore)
  } finally {
    await sshOutput(copilot, 'touch /root/stop')
    await asking
  }
  const lines = (await sshOutput(copilot, 'cat /root/answers'))
    .trim()
    .split('\n')
    .map(line => line.split(' '))
  const times = lines.filter(([status]) => status === '200').map(([, at]) => Number(at))
  const gaps = times.slice(1).map((at, index) => at - (times[index] as number))
  return { statuses: lines.map(([status = '']) => status), gap: Math.max(...gaps) }
}

const untilHolds = (name: Router) => expect.poll(holders, { timeout: 60_000, interval: 250 }).toEqual([name])

it('one of them has it, and both say so; on other machines keepalived is off', async () => {
  await expect.poll(holders, { timeout: 60_000 }).toHaveLength(1)
  const [holder] = (await holders()) as [Router]
  expect(await run(holder, 'slm-copilot status')).toMatch(/floating address +10\.0\.1\.100, at this router\n/)
  expect(await run(other(holder), 'slm-copilot status')).toMatch(/10\.0\.1\.100, not at this router\n/)
  for (const name of ['one', 'two'] as const) {
    expect(await run(name, 'cat /etc/one-appliance/config')).toContain(`https://${floating}/v1\n`)
    expect(await run(name, 'systemctl is-active keepalived slm-copilot-floating-ip || true')).toBe(
      'inactive\nactive\n',
    )
  }
  const states = await sshOutput(
    copilot,
    'systemctl is-enabled keepalived slm-copilot-floating-ip; systemctl is-active keepalived slm-copilot-floating-ip; true',
  )
  expect(states).toBe('disabled\ndisabled\ninactive\ninactive\n')
  const verdict = await run('one', 'systemd-analyze security slm-copilot-floating-ip --no-pager | tail -n 1')
  console.log(verdict.trim())
  expect(Number(verdict.match(/: ([\d.]+) /)?.[1])).toBeLessThanOrEqual(3.5)
})

it('when the one that has it is killed, the other answers within seconds; once it is back, nothing is interrupted', async () => {
  const [killed] = (await holders()) as [Router]
  const left = other(killed)
  const { gap } = await whileAsking(async () => {
    // As if its hypervisor had lost power: nobody closes its connections.
    network.cut(addresses[killed])
    await killMachine(routers.get(killed) as Machine)
    routers.delete(killed)
    await untilHolds(left)
  })
  console.log(`no answer for ${gap.toFixed(1)} s`)
  expect(gap).toBeLessThan(15)
  const { statuses } = await whileAsking(() => bootRouter(killed))
  expect(new Set(statuses)).toEqual(new Set(['200']))
  expect(await holders()).toEqual([left])
  // The stages were not run again because of an address that came.
  expect(await run(left, 'journalctl -b -o cat -u slm-copilot-reconfigure')).toBe('')
})

it.each([
  ['its nginx hangs', 'kill --signal=STOP nginx', 'kill --signal=CONT nginx'],
  ['its HAProxy hangs', 'kill --signal=STOP slm-copilot-router', 'kill --signal=CONT slm-copilot-router'],
  // As at shutdown.
  ['its keepalived is stopped', 'stop slm-copilot-floating-ip', 'start slm-copilot-floating-ip'],
])('when %s, the other takes it', async (what, fail, mend) => {
  const [failing] = (await holders()) as [Router]
  const { gap } = await whileAsking(async () => {
    await run(failing, `systemctl ${fail}`)
    await untilHolds(other(failing))
  })
  console.log(`${what}: no answer for ${gap.toFixed(1)} s`)
  await run(failing, `systemctl ${mend}`)
})

it('one that is drained keeps it until it has answered what it had begun', async () => {
  const [drained] = (await holders()) as [Router]
  const stream = sshOutput(copilot, ask(1500))
  await expect
    .poll(() => run(drained, 'slm-copilot backends'), { timeout: 60_000, interval: 100 })
    .toMatch(/ 1\/4 /)
  // The answer takes longer than the other one would, to have the address.
  await sshOutput(copilot, 'systemctl kill --signal=STOP slm-copilot.service')
  const draining = run(drained, 'slm-copilot drain')
  await setTimeout(9000)
  expect(await holders()).toEqual([drained])
  await sshOutput(copilot, 'systemctl kill --signal=CONT slm-copilot.service')
  await draining
  expect((await stream).trimEnd().endsWith('data: [DONE]')).toBe(true)
  await untilHolds(other(drained))
  const { statuses } = await whileAsking(() => run(drained, 'slm-copilot drain --undo; sleep 5'))
  expect(new Set(statuses)).toEqual(new Set(['200']))
  expect(await holders()).toEqual([other(drained)])
})
