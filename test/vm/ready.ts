/** Waits for a VM or container to boot, to finish its contextualization, to be ready. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { consoleLog, contextOf, isRunning, type Machine, oneGateLog } from './machine.ts'
import { readUpdates, shownAfter } from './onegate.ts'
import { ssh, sshOutput } from './ssh.ts'

/**
 * `agent`: systemd's state of the context agent in this boot: inactive, activating, then active or failed.
 * `status`: the framework's. It survives a reboot, so it only refers to this boot once the agent is done.
 */
export type BootProgress = { bootId: string; agent: string; status: string; lastLine: string }

const question = `cat /proc/sys/kernel/random/boot_id
systemctl show --property ActiveState --value one-context.service
echo "$(cat /etc/one-appliance/status)"
tail -qn 1 /var/log/one-appliance/slm-copilot.log 2> /dev/null`

/** Reads the progress; undefined while the machine does not answer. */
export async function readProgress(machine: Machine): Promise<BootProgress | undefined> {
  // A connection attempt before the guest's network is up is answered late, if ever: better to retry.
  const { stdout, code } = await ssh(machine, question, '', ['-oConnectTimeout=5', '-oConnectionAttempts=1'])
  const [bootId = '', agent = '', status = '', lastLine = ''] = stdout.split('\n')
  return code === 255 || bootId === '' ? undefined : { bootId, agent, status, lastLine }
}

type WaitOptions = {
  seconds?: number
  otherThanBoot?: string
  report?: (progress: BootProgress | undefined) => void
}

/** Where its console is, and how it ends. */
const consoleOf = (machine: Machine) => {
  const path = consoleLog(machine)
  return `its console (${path}) ends with:\n${readFileSync(path, 'utf8').trimEnd().slice(-1000)}`
}

/** Milliseconds between two reports: the commands behind one take a second of an emulated VM. */
const reportEvery = 10_000

/** Waits for the context agent, which the boot has started. Polling would slow down an emulated VM. */
const waitForAgent = (machine: Machine) => ssh(machine, 'systemctl start one-context.service')

/**
 * Waits until the contextualization at boot is over; its outcome is in `status`, such as `bootstrap_success`.
 * `otherThanBoot`: the ID of the previous boot, after a restart. `report` is called with each progress.
 */
export async function waitForContextualization(
  machine: Machine,
  options: WaitOptions = {},
): Promise<BootProgress> {
  const deadline = Date.now() + (options.seconds ?? 1800) * 1000
  let agent: Promise<unknown> | undefined
  while (Date.now() < deadline) {
    if (!isRunning(machine)) throw new Error(`${machine.name} stopped; ${consoleOf(machine)}`)
    const progress = await readProgress(machine)
    options.report?.(progress)
    const isThisBoot = progress !== undefined && progress.bootId !== options.otherThanBoot
    if (isThisBoot && ['active', 'failed'].includes(progress.agent)) return progress
    if (isThisBoot) {
      agent ??= waitForAgent(machine).finally(() => {
        agent = undefined
      })
      await (options.report
        ? Promise.race([agent, setTimeout(reportEvery, undefined, { ref: false })])
        : agent)
    }
    await setTimeout(1000)
  }
  throw new Error(`${machine.name} was not done within its time; ${consoleOf(machine)}`)
}

/** Reboots the machine cleanly, and waits for the contextualization of its next boot. */
export async function reboot(machine: Machine, options: WaitOptions = {}): Promise<BootProgress> {
  const otherThanBoot = (await sshOutput(machine, 'cat /proc/sys/kernel/random/boot_id')).trim()
  await ssh(machine, 'systemctl reboot')
  return waitForContextualization(machine, { ...options, otherThanBoot })
}

/**
 * Starts the contextualization at run time, or waits for the one that the new disk started; returns the status. A guest
 * may find no disk just after it was changed, so this is repeated until it has read this VM's context.
 */
export async function contextualizeNow(machine: Machine): Promise<string> {
  const digest = createHash('sha256').update(contextOf(machine)).digest('hex')
  const hasRead = `[ "$(sha256sum < /run/one-context/context.sh.network)" = '${digest}  -' ]`
  const untilRead = `until systemctl start one-context-reconfigure.service && ${hasRead}; do sleep 1; done`
  return (await sshOutput(machine, `${untilRead}; cat /etc/one-appliance/status`)).trim()
}

/** The attributes of the machine that OneGate shows. */
export const shownAtOneGate = (machine: Machine): Record<string, string> =>
  shownAfter(readUpdates(oneGateLog(machine)))

/** Whether OneGate shows READY=YES. */
export const isReportedReady = (machine: Machine): boolean => shownAtOneGate(machine).READY === 'YES'
