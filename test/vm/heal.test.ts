/** Services that crash, hang or lose their sockets recover by themselves, and report the reason meanwhile. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { readAccess } from './access.ts'
import { ask, plannedBytes, untilServing } from './client.ts'
import { changeContext } from './context.ts'
import { stopMachine } from './machine.ts'
import { contextualizeNow } from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const question = { messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1 }

/** Waits, longer than anything here takes on a busy machine. */
async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 240_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`Waited 4 minutes, in vain, until ${what}.`)
    await sleep(300)
  }
}

/** A freshly booted container, and what the tests ask of it. */
async function bootedAppliance(name?: string) {
  const container = await readyContainer(name)
  const access = await readAccess(container)
  const generates = () =>
    ask(access, '/v1/chat/completions', { json: question, timeout: 30 }).then(
      ({ status }) => status === 200,
      () => false,
    )
  return {
    container,
    access,
    run: (command: string) => sshOutput(container, command),
    /** Waits until a completion succeeds, and prints how long that took; it also depends on the machine's speed. */
    untilGenerating: async (what: string, start = Date.now()) => {
      await until(generates, 'a completion succeeds')
      console.log(`${what}: generating again after ${Math.round((Date.now() - start) / 1000)} s`)
    },
    /** Waits until the message of the day says so; returns after how many seconds. */
    untilShown: async (text: RegExp) => {
      const start = Date.now()
      const message = async () => (await sshOutput(container, 'cat /etc/motd')).replace(/\s+/g, ' ')
      await until(async () => text.test(await message()), `the message of the day matches ${text}`)
      return (Date.now() - start) / 1000
    },
  }
}

type Appliance = Awaited<ReturnType<typeof bootedAppliance>>

let appliance: Appliance

beforeAll(async () => {
  appliance = await bootedAppliance()
})

const run = (command: string) => appliance.run(command)
const untilGenerating = (what: string) => appliance.untilGenerating(what)
const reason = () => run('cat /run/slm-copilot-unavailable')
const restarts = async () => JSON.parse(await run('cat /run/slm-copilot-restarts.json'))
const status = () => ssh(appliance.container, '/opt/one-appliance/bin/slm-copilot status')

/** As many checks as the watchdog's timer starts in a minute. */
const checkForAMinute = 'for time in 1 2 3 4 5; do slm-copilot watchdog; done'

describe('a failure of llama-server', () => {
  it.each([
    ['is ended by the signal that normally stops it', 'pkill -TERM -x llama-server'],
    ['crashes', 'pkill -SEGV -x llama-server'],
  ])('it %s', async (what, command) => {
    await run(command)
    await sleep(1000)
    await untilGenerating(`llama-server ${what}`)
    // Resets the pause before a restart to one second.
    await run('systemctl restart slm-copilot')
    await untilServing(appliance.access)
  })

  it('it is killed again and again: restarted each time, after increasing pauses', async () => {
    for (let time = 1; time <= 5; time += 1)
      await run(
        'until pkill -x -9 llama-server; do sleep 0.2; done; while pgrep -x llama-server > /dev/null; do sleep 0.1; done',
      )
    // Perhaps fewer than five: once it answers, the watchdog may find that it has recovered.
    await expect.poll(async () => (await restarts()).failures, { timeout: 600_000 }).toBeGreaterThanOrEqual(3)
    const { failures, next, endedAt, cause } = await restarts()
    expect(cause).toBe('was killed by signal KILL')
    expect(next - endedAt).toBeCloseTo(2 ** (failures - 1))
    expect(await reason()).toMatch(/^llama-server was killed by signal KILL at /)
    // systemd does not limit the number of restarts.
    expect(await run('systemctl show -P StartLimitIntervalUSec slm-copilot')).toBe('0\n')
    await untilGenerating('llama-server killed five times in a row')
  })
})

// Last of these, since it makes the plan smaller. The kernel does it in vm.test.ts.
it('it has run out of memory, as systemd puts it: the next start takes less, and says so', async () => {
  const invocation = () => run('systemctl show -P InvocationID slm-copilot')
  const before = { bytes: await plannedBytes(appliance.container), invocation: await invocation() }
  await run('SERVICE_RESULT=oom-kill EXIT_CODE=killed EXIT_STATUS=KILL slm-copilot llama-ended')
  await expect.poll(invocation, { timeout: 120_000 }).not.toBe(before.invocation)
  await untilGenerating('llama-server out of memory')
  expect(await plannedBytes(appliance.container)).toBeLessThan(before.bytes)
  expect((await run('slm-copilot status')).replace(/\s+/g, ' ')).toContain(
    'llama-server ran out of memory although the plan took',
  )
})

// Each takes the watchdog half a minute to notice: in containers of their own, they wait at the same time.
describe.concurrent('a failure that only the watchdog notices', () => {
  it.each([
    ['llama-server is stopped by a signal', 'stopped', 'pkill -STOP -x llama-server'],
    ['llama-server loses its socket', 'no-socket', 'rm /run/slm-copilot/llama.sock'],
    [
      'the admission proxy loses its socket, nginx is stopped by a signal',
      'proxies',
      'rm /run/slm-copilot-admission/admission.sock; pkill -STOP -P $(cat /run/nginx.pid); kill -STOP $(cat /run/nginx.pid)',
    ],
    [
      'the admission proxy is stopped by a signal',
      'admission',
      'systemctl kill -s STOP slm-copilot-admission',
    ],
    [
      'nginx’s workers, not its master, are stopped by a signal',
      'workers',
      'pkill -STOP -P $(cat /run/nginx.pid)',
    ],
  ])('%s; everybody is told within a minute', async (what, name, command) => {
    const own = await bootedAppliance(name)
    const start = Date.now()
    await own.run(command)
    const shown = await own.untilShown(/not serving/)
    expect(await own.run('slm-copilot status || true')).toMatch(/^SLM-Copilot is not serving/)
    await own.untilGenerating(what, start)
    await own.untilShown(/ready to serve/)
    await stopMachine(own.container.name)
    console.log(`${what}: message of the day after ${shown.toFixed(0)} s`)
    expect(shown).toBeLessThanOrEqual(60)
  })

  it('HAProxy on a router is stopped by a signal; everybody is told within a minute', async () => {
    const own = await bootedAppliance('router')
    await changeContext(own.container, {
      ONEAPP_COPILOT_ROLE: 'router',
      // Nothing listens there.
      ONEAPP_COPILOT_BACKENDS: `https://10.0.2.2:9=${Array(32).fill('AB').join(':')}`,
      ONEAPP_COPILOT_FLEET_KEY: 'key-of-the-fleet-01',
    })
    expect(await contextualizeNow(own.container)).toBe('bootstrap_success')
    await own.untilShown(/ready to serve/)
    await own.run('systemctl kill -s STOP slm-copilot-router')
    const shown = await own.untilShown(/not serving: slm-copilot-router\.service did not answer/)
    await own.untilShown(/ready to serve/)
    await stopMachine(own.container.name)
    console.log(`HAProxy, stopped by a signal: message of the day after ${shown.toFixed(0)} s`)
    expect(shown).toBeLessThanOrEqual(60)
  })
})

describe('a failure of the proxies', () => {
  it('both are killed eleven times', async () => {
    for (let time = 1; time <= 11; time += 1) {
      await run('systemctl kill -s KILL nginx slm-copilot-admission')
      await run(
        'until systemctl -q is-active nginx && systemctl -q is-active slm-copilot-admission; do sleep 0.2; done',
      )
    }
    await untilGenerating('nginx and admission proxy killed eleven times')
  })
})

describe('a service that is stopped on purpose', () => {
  it('the admission proxy: status says so, and nothing restarts it', async () => {
    await run('systemctl stop slm-copilot-admission')
    const { code, stdout } = await status()
    expect(code).toBe(1)
    expect(stdout).toMatch(/^SLM-Copilot is not serving/)
    await run(checkForAMinute)
    expect((await ssh(appliance.container, 'systemctl is-active slm-copilot-admission')).stdout).toBe(
      'inactive\n',
    )
    await run('systemctl start slm-copilot-admission')
    await untilGenerating('the admission proxy, started by hand')
  })

  it('llama-server: the reason says so, and nothing restarts it', async () => {
    await run('systemctl stop slm-copilot')
    expect(await reason()).toMatch(/^llama-server was stopped at /)
    await run(checkForAMinute)
    expect((await ssh(appliance.container, 'systemctl is-active slm-copilot')).stdout).toBe('inactive\n')
    await run('systemctl start slm-copilot')
    await untilGenerating('llama-server, started by hand')
    expect((await status()).code).toBe(0)
  })
})

it('gives llama-server’s threads the stack size that the largest request needs', async () => {
  expect(await run('grep "Max stack size" /proc/$(pgrep -x llama-server)/limits')).toMatch(/ 536870912 /)
})
