/**
 * A VM whose clock is wrong, which no container shows: they share this machine's. All of the VM sees the wrong time,
 * timers and nginx too. Only with NIGHTLY=1, which the nightly run sets: emulated, it takes a quarter of an hour.
 */
import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { paths, units } from '../../lib/appliance/paths.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, snapshot, untilServing } from './client.ts'
import { helpers } from './faults.ts'
import { beginLongAnswer } from './long-answer.ts'
import type { Machine } from './machine.ts'
import { isReportedReady, reboot } from './ready.ts'
import { readyVm } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

// Emulated, on a busy machine.
vi.setConfig({ testTimeout: 30 * 60_000 })

const hour = 3_600_000
const day = 24 * hour
/** What clients accept at most (lib/appliance/tls/clock.ts). */
const longestLeaf = 825 * day

describe.runIf(process.env.NIGHTLY === '1')('the clock of a VM', () => {
  let vm: Machine
  let access: AccessFiles

  beforeAll(async () => {
    vm = await readyVm()
    access = await readAccess(vm)
    // As where there is no time source: with KVM there is one, which would put the clock right at once.
    await run(`systemctl mask --now ${units.clock} 2>&1`)
  })

  const run = (command: string) => sshOutput(vm, command)
  /** Sets the hardware's clock, too. */
  const setClock = (time: Date) => run(`timedatectl set-time '${time.toISOString().slice(0, 19)}'`)
  const stages = async () => (await run(`${helpers}\nstages`)).trim()
  const today = async () => (await run('date -u +%F')).trim()
  /** Text is wrapped. */
  const said = async (command: string) =>
    (await ssh(vm, `slm-copilot ${command}`)).stdout.replace(/\s+/g, ' ')
  const certificate = async () => new X509Certificate(await run(`cat ${paths.currentChain}`))
  const renew = () => run('systemctl start slm-copilot-renew.service')
  const lasts = (one: X509Certificate) => one.validToDate.getTime() - one.validFromDate.getTime()

  /** The clients' clock is right. */
  async function expectToServe(): Promise<void> {
    expect((await ask(access, '/health')).status).toBe(200)
    await expect
      .poll(() => said('status'), { timeout: 120_000, interval: 2000 })
      .toMatch(/^SLM-Copilot is serving/)
  }

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

  it('is set back by an hour during an answer: the answer ends complete, no service is touched, timers go on', async () => {
    const before = await snapshot(vm)
    const start = performance.now()
    expect(await stages()).toBe('bootstrap_success')
    const seconds = (performance.now() - start) / 1000
    // Long enough for the stages on this machine as it is now, and for two runs of each timer.
    const answer = await beginLongAnswer(vm, 150 + 2 * seconds)
    const hourAgo = new Date(Date.now() - hour)
    await setClock(hourAgo)
    expect(await stages()).toBe('bootstrap_success')
    expect(answer.hasEnded()).toBe(false)
    await answer.untilMore()
    await expectTimersToGoOn()
    await expectToServe()
    expect(await said('doctor')).toContain(`${hourAgo.toISOString().slice(0, 12)}`)
    await answer.untilComplete()
    expect((await snapshot(vm)).services).toEqual(before.services)
    expect(isReportedReady(vm)).toBe(true)
    await setClock(new Date())
    console.log(`${answer.asked} tokens, complete\n${await run('slm-copilot status')}`)
  })

  it.each([1970, 2040])(
    'is set to %i: it serves, and the certificates made there are replaced once it is right',
    async year => {
      const time = new Date(Date.UTC(year, 0, 2))
      await run('rm -r /etc/ssl/slm-copilot/*')
      await setClock(time)
      expect(await stages()).toBe('bootstrap_success')
      access = await readAccess(vm)
      await expectToServe()
      const ca = await run(`cat ${paths.caCertificate}`)
      const made = await certificate()
      expect(lasts(made)).toBeGreaterThan(longestLeaf)
      expect(await said('doctor')).toContain(`clock, which no time source confirms, says ${await today()}`)

      // What remembers times: restarts.
      await run(`systemctl kill -s KILL ${units.llama}; sleep 2`)
      await untilServing(access)
      await expectToServe()
      await setClock(new Date())
      await renew()
      const renewed = await certificate()
      expect(renewed.serialNumber).not.toBe(made.serialNumber)
      await expectUsualCertificate()
      const status = await run('slm-copilot status')
      console.log(status)
      expect(status).not.toContain('will be restarted')

      await setClock(time)
      const { status: outcome, lastLine } = await reboot(vm)
      expect(outcome, lastLine).toBe('bootstrap_success')
      // systemd begins no earlier than when the image was made.
      const imageMade = await run(`date -u -r ${paths.clockEpoch} +%F`)
      expect(await today()).toBe(year === 1970 ? imageMade.trim() : `${year}-01-02`)
      await expectToServe()
      await setClock(new Date())
      await renew()
      await expectUsualCertificate()
      await expectToServe()
      // The one that was made under the wrong clock: clients trust it.
      expect(await run(`cat ${paths.caCertificate}`)).toBe(ca)
    },
  )

  async function expectUsualCertificate(): Promise<void> {
    const now = Date.now()
    const one = await certificate()
    expect(lasts(one)).toBeLessThanOrEqual(longestLeaf)
    expect([one.validFromDate.getTime() < now, now < one.validToDate.getTime()]).toEqual([true, true])
    expect((await ask(access, '/health')).status).toBe(200)
  }
})
