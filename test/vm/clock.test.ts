/**
 * A VM whose clock is wrong, which no container shows: they share this machine's. All of the VM sees the wrong time,
 * timers and nginx too. Only with NIGHTLY=1, which the nightly run sets: emulated, it takes half an hour.
 */
import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { paths, units } from '../../lib/appliance/paths.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, snapshot, untilServing } from './client.ts'
import { helpers } from './faults.ts'
import { beginLongAnswer } from './long-answer.ts'
import type { Machine } from './machine.ts'
import { isReportedReady } from './ready.ts'
import { readyVm } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

// Emulated, on a busy machine.
vi.setConfig({ testTimeout: 30 * 60_000, hookTimeout: 30 * 60_000 })

const hour = 3_600_000
const day = 24 * hour
/** What clients accept at most (lib/appliance/tls/clock.ts). */
const longestLeaf = 825 * day
const secondOfJanuary = (year: number) => new Date(Date.UTC(year, 0, 2))

describe.runIf(process.env.NIGHTLY === '1')('the clock of a VM', () => {
  let vm: Machine
  let access: AccessFiles

  async function boot(clock: Date): Promise<void> {
    vm = await readyVm(clock)
    access = await readAccess(vm)
  }

  const run = (command: string) => sshOutput(vm, command)
  const setClock = (time: Date) => run(`date -u -s ${time.toISOString()}`)
  const stages = async () => (await run(`${helpers}\nstages`)).trim()
  const today = async () => (await run('date -u +%F')).trim()
  /** Text is wrapped. */
  const said = async (command: string) =>
    (await ssh(vm, `slm-copilot ${command}`)).stdout.replace(/\s+/g, ' ')
  const authority = () => run(`cat ${paths.caCertificate}`)
  const certificate = async () => new X509Certificate(await run(`cat ${paths.currentChain}`))
  const lasts = (one: X509Certificate) => one.validToDate.getTime() - one.validFromDate.getTime()

  /** The clients' clock is right. */
  async function expectToServe(): Promise<void> {
    expect((await ask(access, '/health')).status).toBe(200)
    await expect
      .poll(() => said('status'), { timeout: 120_000, interval: 2000 })
      .toMatch(/^SLM-Copilot is serving/)
  }

  /** Then nothing that was made or remembered under the wrong clock is in the way. The CA stays: clients trust it. */
  async function expectToRecover(): Promise<void> {
    const ca = await authority()
    // It remembers when it was restarted.
    await run(`systemctl kill -s KILL ${units.llama}; sleep 2`)
    await untilServing(access)
    await setClock(new Date())
    await run('systemctl start slm-copilot-renew.service')
    const now = Date.now()
    const one = await certificate()
    expect(lasts(one)).toBeLessThanOrEqual(longestLeaf)
    expect([one.validFromDate.getTime() < now, now < one.validToDate.getTime()]).toEqual([true, true])
    expect(await authority()).toBe(ca)
    await expectToServe()
    const status = await run('slm-copilot status')
    console.log(status)
    expect(status).not.toContain('will be restarted')
  }

  describe('that is set while it serves', () => {
    beforeAll(() => boot(new Date()))

    const triggers = async () => {
      const timers = ['watchdog', 'metrics', 'addresses'].map(name => `slm-copilot-${name}.timer`)
      const lines = await run(`systemctl show -P LastTriggerUSecMonotonic ${timers.join(' ')} | grep .`)
      return lines.trimEnd().split('\n')
    }

    async function expectTimersToGoOn(): Promise<void> {
      const before = await triggers()
      const areLater = async () => (await triggers()).map((time, index) => time !== before[index])
      await expect.poll(areLater, { timeout: 240_000, interval: 5000 }).toEqual([true, true, true])
    }

    it('an hour back, during an answer: that ends complete, no service is touched, timers go on', async () => {
      const before = await snapshot(vm)
      const start = performance.now()
      expect(await stages()).toBe('bootstrap_success')
      // Long enough for the stages on this machine as it is now, or twice as slow: twice their time alone was too short once.
      const answer = await beginLongAnswer(vm, 150 + (2 * (performance.now() - start)) / 1000)
      const hourAgo = new Date(Date.now() - hour)
      await setClock(hourAgo)
      expect(await stages()).toBe('bootstrap_success')
      expect(answer.hasEnded()).toBe(false)
      await answer.untilMore()
      expect(await said('doctor')).toContain(`${hourAgo.toISOString().slice(0, 12)}`)
      await expectTimersToGoOn()
      await expectToServe()
      await answer.untilComplete()
      expect((await snapshot(vm)).services).toEqual(before.services)
      expect(isReportedReady(vm)).toBe(true)
      console.log(`${answer.asked} tokens, complete`)
      await setClock(new Date())
    })

    it.each([
      [1970, 'its certificates are lost', 'rm -r /etc/ssl/slm-copilot/*'],
      [2040, 'its certificate has expired', ':'],
    ])('to %i, where %s: it serves, and recovers once the clock is right', async (year, _, cause) => {
      await run(cause)
      await setClock(secondOfJanuary(year))
      expect(await stages()).toBe('bootstrap_success')
      access = await readAccess(vm)
      await expectToServe()
      expect(lasts(await certificate())).toBeGreaterThan(longestLeaf)
      expect(await said('doctor')).toContain(`clock, which no time source confirms, says ${year}-01-02`)
      await expectToRecover()
    })
  })

  it.each([1970, 2040])(
    'is at %i when it first boots: it serves, and recovers once it is right',
    async year => {
      await boot(secondOfJanuary(year))
      // systemd begins no earlier than when the image was made.
      const imageMade = (await run(`date -u -r ${paths.clockEpoch} +%F`)).trim()
      expect(await today()).toBe(year === 1970 ? imageMade : `${year}-01-02`)
      await expectToServe()
      await expectToRecover()
    },
  )
})
