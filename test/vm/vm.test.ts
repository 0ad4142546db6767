/** The appliance in a real VM: what a container, which runs on this machine's kernel, does not show (test/README.md). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { beforeAll, expect, it, vi } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { executable } from '../../packer/build/executable.ts'
import { sentence } from '../mirror/sentence-model.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask, filesKeptByBoot, plannedBytes, snapshot, untilServing } from './client.ts'
import { changeContext } from './context.ts'
import type { Machine } from './machine.ts'
import { contextualizeNow, isReportedReady, shownAtOneGate, waitForContextualization } from './ready.ts'
import { readyVm } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'
import { fileSystemOf, powerCut, powerOff } from './vm.ts'

// Emulated, on a busy machine.
vi.setConfig({ testTimeout: 30 * 60_000 })

let vm: Machine
let access: AccessFiles

beforeAll(async () => {
  vm = await readyVm()
  access = await readAccess(vm)
})

const run = (command: string) => sshOutput(vm, command)
const servedModel = async () => JSON.parse((await ask(access, '/v1/models')).body).data[0].id

it('boots from its own disk and kernel, reports READY, and answers from outside', async () => {
  const ready = { READY: 'YES', ONEAPP_COPILOT_API: 'https://10.0.2.15/v1' }
  await expect.poll(() => shownAtOneGate(vm), { timeout: 300_000 }).toMatchObject(ready)
  const args = ['smoke-test', '--endpoint', access.endpoint, '--ca', access.ca, '--key-file', access.key]
  expect(execFileSync(executable, args, { encoding: 'utf8' })).toMatch(/stream: .* events/)
  const json = { messages: [{ role: 'user', content: 'Hello!' }] }
  const { body } = await ask(access, '/v1/chat/completions', { json })
  expect(JSON.parse(body).choices[0].message.content).toBe(sentence)
})

it('has nothing to complain about in the machine', async () => {
  const { stdout, code } = await ssh(vm, 'slm-copilot doctor')
  console.log(stdout)
  expect(code).toBe(0)
  expect(await run('systemctl is-active chrony slm-copilot-watchdog.timer')).toBe('active\nactive\n')
  // The root file system has grown to the size of the disk.
  expect(Number(await run('df --output=size -B 1M / | tail -n 1'))).toBeGreaterThan(7500)
})

it('another context disk is noticed: nginx reloads, llama-server keeps running', async () => {
  const password = 'another-password-1'
  const before = await snapshot(vm)
  await changeContext(vm, { ONEAPP_COPILOT_PASSWORD: password })
  // Nobody but udev has started the contextualization.
  await run(`until grep -q ${password} ${paths.password}; do sleep 1; done`)
  expect(await contextualizeNow(vm)).toBe('bootstrap_success')
  const { services } = await snapshot(vm)
  expect(services).toEqual({ ...before.services, 'nginx workers': expect.any(String) })
  expect(services['nginx workers']).not.toBe(before.services['nginx workers'])
  access = await readAccess(vm)
  expect(readFileSync(access.key, 'utf8')).toBe(`${password}\n`)
  expect(await servedModel()).toBe('sentence')
})

/**
 * Has the kernel kill llama-server for exceeding its memory limit. What the unit starts next needs more than the lower
 * limit: frozen, it waits until the old one is back.
 */
const exhaustMemory = [
  'group=/sys/fs/cgroup/system.slice/slm-copilot.service',
  'limit=$(cat $group/memory.max)',
  `half=$(awk '$1 == "anon" { print int($2 / 2) }' $group/memory.stat)`,
  'echo 1 > $group/cgroup.freeze',
  'echo $half > $group/memory.max',
  'echo $limit > $group/memory.max',
  'echo 0 > $group/cgroup.freeze',
].join('\n')

/** Prints the reason that clients get once the memory is exhausted: within the VM, since the stages soon replace it. */
const reasonWhenExhausted = `${exhaustMemory}
for second in $(seq 120)
do grep -s 'ran out of memory' ${paths.unavailableReason} && break; sleep 1
done`

it('a power cut that leaves the framework’s pipe behind: success, same files, services left alone', async () => {
  const log = '/var/log/one-appliance/slm-copilot.log'
  const before = await filesKeptByBoot(vm)
  const lines = Number(await run(`wc -l < ${log}`))
  await run('mkfifo /var/log/one-appliance/one_service_log.pipe && sync')
  const otherThanBoot = (await run('cat /proc/sys/kernel/random/boot_id')).trim()
  await powerCut(vm)
  expect((await waitForContextualization(vm, { otherThanBoot })).status).toBe('bootstrap_success')
  expect(await filesKeptByBoot(vm)).toEqual(before)
  expect(await run(`tail -n +${lines + 1} ${log}`)).toMatch(
    /slm-copilot.service: leave alone.*nginx.service: leave alone.*stream: /s,
  )
  expect(isReportedReady(vm)).toBe(true)
  expect(await servedModel()).toBe('sentence')
})

// After that, since it makes the next plan smaller.
it('llama-server runs out of memory: clients get the reason, and the next start takes less', async () => {
  const before = await plannedBytes(vm)
  expect(await run(reasonWhenExhausted)).toMatch(/^llama-server ran out of memory at /)
  // The next start takes less, and says so once it serves.
  const report = async () => (await run(`cat ${paths.report}`)).replace(/\s+/g, ' ')
  await expect
    .poll(report, { timeout: 300_000, interval: 5000 })
    .toMatch(/llama-server ran out of memory although the plan took .*: it now takes /)
  await untilServing(access)
  expect(await plannedBytes(vm)).toBeLessThan(before)
  console.log(
    `memory that the plan takes: ${before} bytes, after running out of it ${await plannedBytes(vm)}`,
  )
})

it('shuts down when its power button is pressed, with a clean file system', async () => {
  await powerOff(vm)
  const about = fileSystemOf(vm)
  expect(about).toMatch(/^Filesystem state: +clean$/m)
  expect(about).not.toMatch(/needs_recovery/)
})
