/** Waits for a VM to boot, to finish its contextualization, to be ready. */
import { createHash } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { readUpdates, shownAfter } from './onegate.ts'
import { ssh, sshOutput } from './ssh.ts'
import { contextOf, isRunning, oneGateLog, serialLog, type Vm } from './vm.ts'

/**
 * `agent`: systemd's state of the context agent in this boot: inactive, activating, then active or failed.
 * `status`: the framework's. It survives a reboot, so it only refers to this boot once the agent is done.
 */
export type BootProgress = { bootId: string; agent: string; status: string; lastLine: string }

const question = `cat /proc/sys/kernel/random/boot_id
systemctl show --property ActiveState --value one-context.service
cat /etc/one-appliance/status
tail -qn 1 /var/log/one-appliance/slm-copilot.log 2> /dev/null`

/** Reads the progress; undefined while the VM does not answer. */
export async function readProgress(vm: Vm): Promise<BootProgress | undefined> {
  // A connection attempt before the guest's network is up is answered late, if ever: better to retry.
  const { stdout, code } = await ssh(vm, question, '', ['-oConnectTimeout=5', '-oConnectionAttempts=1'])
  const [bootId = '', agent = '', status = '', lastLine = ''] = stdout.split('\n')
  return code === 255 || status === '' ? undefined : { bootId, agent, status, lastLine }
}

type WaitOptions = {
  seconds?: number
  otherThanBoot?: string
  report?: (progress: BootProgress | undefined) => void
}

/** Waits for the context agent, which the boot has started. Polling would slow down an emulated VM. */
const waitForAgent = (vm: Vm) => ssh(vm, 'systemctl start one-context.service')

/**
 * Waits until the contextualization at boot is over; its outcome is in `status`, such as `bootstrap_success`.
 * `otherThanBoot`: the ID of the previous boot, after a restart. `report` is called with each progress.
 */
export async function waitForContextualization(vm: Vm, options: WaitOptions = {}): Promise<BootProgress> {
  const deadline = Date.now() + (options.seconds ?? 1800) * 1000
  while (Date.now() < deadline) {
    if (!isRunning(vm)) throw new Error(`the VM ${vm.name} stopped; its console: ${serialLog(vm)}`)
    const progress = await readProgress(vm)
    options.report?.(progress)
    const isThisBoot = progress !== undefined && progress.bootId !== options.otherThanBoot
    if (isThisBoot && ['active', 'failed'].includes(progress.agent)) return progress
    if (isThisBoot && options.report === undefined) await waitForAgent(vm)
    await setTimeout(1000)
  }
  throw new Error(`the VM ${vm.name} was not done within its time; its console: ${serialLog(vm)}`)
}

/** Reboots the VM cleanly, and waits for the contextualization of its next boot. */
export async function reboot(vm: Vm, options: WaitOptions = {}): Promise<BootProgress> {
  const otherThanBoot = (await sshOutput(vm, 'cat /proc/sys/kernel/random/boot_id')).trim()
  await ssh(vm, 'systemctl reboot')
  return waitForContextualization(vm, { ...options, otherThanBoot })
}

/**
 * Starts the contextualization at run time, or waits for the one that the new disk started; returns the status. A guest
 * may find no disk just after it was changed, so this is repeated until it has read this VM's context.
 */
export async function contextualizeNow(vm: Vm): Promise<string> {
  const digest = createHash('sha256').update(contextOf(vm)).digest('hex')
  const hasRead = `[ "$(sha256sum < /run/one-context/context.sh.network)" = '${digest}  -' ]`
  const untilRead = `until systemctl start one-context-reconfigure.service && ${hasRead}; do sleep 1; done`
  return (await sshOutput(vm, `${untilRead}; cat /etc/one-appliance/status`)).trim()
}

/** The attributes of the VM that OneGate shows. */
export const shownAtOneGate = (vm: Vm): Record<string, string> => shownAfter(readUpdates(oneGateLog(vm)))

/** Whether OneGate shows READY=YES. */
export const isReportedReady = (vm: Vm): boolean => shownAtOneGate(vm).READY === 'YES'
