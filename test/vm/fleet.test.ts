/** What a VM has for a fleet: it drains before it stops; models and state on disks; its load at OneGate. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toolModel } from '../mirror/tool-model.ts'
import { type AccessFiles, readAccess } from './access.ts'
import { ask } from './client.ts'
import { attachDisk, detachDisk } from './container.ts'
import { changeContext } from './context.ts'
import type { Machine } from './machine.ts'
import { contextualizeNow, shownAtOneGate, waitForContextualization } from './ready.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const work = mkdtempSync(join(tmpdir(), 'fleet-'))
afterAll(() => rmSync(work, { recursive: true, force: true }))

let machine: Machine
let access: AccessFiles
const run = (command: string) => sshOutput(machine, command)

beforeAll(async () => {
  machine = await readyContainer()
  access = await readAccess(machine)
})

/** An answer that takes seconds: the prompt is long. */
const stream = (text: string) =>
  ask(access, '/v1/chat/completions', {
    json: { messages: [{ role: 'user', content: `${text} `.repeat(3000) }], stream: true },
    timeout: 300,
  })

async function until(look: () => boolean | Promise<boolean>) {
  const end = Date.now() + 180_000
  while (!(await look())) {
    if (Date.now() > end) throw new Error(`After three minutes still not: ${look}`)
    await setTimeout(500)
  }
}

const served = async () => {
  const { status, body } = await ask(access, '/v1/models')
  return status === 200 ? JSON.parse(body).data[0].id : status
}

describe('a drain', () => {
  it('accepts no new requests, finishes the answers in progress, and can be undone', async () => {
    const running = stream('one')
    await setTimeout(1000)
    expect((await ssh(machine, 'slm-copilot drain --limit 0')).code).toBe(1)
    const health = await ask(access, '/health')
    expect([health.status, JSON.parse(health.body).status]).toEqual([503, 'draining'])
    const refused = await stream('two')
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)])
    expect(shownAtOneGate(machine)).toMatchObject({ ONEAPP_COPILOT_DRAINING: 'YES', READY: 'NO' })
    expect((await ssh(machine, 'slm-copilot drain')).code).toBe(0)
    expect((await running).body).toContain('[DONE]')
    expect((await ssh(machine, 'slm-copilot status')).stdout).toContain('This VM has been draining since')
    await run('slm-copilot drain --undo')
    await expect
      .poll(() => shownAtOneGate(machine), { timeout: 60_000, interval: 500 })
      .toMatchObject({ ONEAPP_COPILOT_DRAINING: '', READY: 'YES' })
    expect((await stream('three')).status).toBe(200)
  })

  it('precedes a shutdown: no stream is cut off', async () => {
    const boot = (await run('cat /proc/sys/kernel/random/boot_id')).trim()
    const streams = ['one', 'two', 'three'].map(stream)
    await setTimeout(1500)
    await ssh(machine, 'systemctl reboot')
    for (const { status, body } of await Promise.all(streams)) {
      expect(status).toBe(200)
      expect(body).toContain('[DONE]')
    }
    const { status } = await waitForContextualization(machine, { otherThanBoot: boot })
    expect(status).toBe('bootstrap_success')
    expect(await run('slm-copilot status')).not.toContain('drained')
  })
})

it('publishes its load', async () => {
  await run('systemctl start slm-copilot-metrics.service')
  expect(shownAtOneGate(machine)).toMatchObject({ ONEAPP_COPILOT_LOAD: '0', ONEAPP_COPILOT_SLOTS_BUSY: '0' })
})

/** A file that is a disk. */
function disk(name: string, ...format: string[]): string {
  const path = join(work, name)
  execFileSync('truncate', ['-s', '64M', path])
  if (format.length > 0) execFileSync('mkfs.ext4', ['-q', ...format, path])
  return path
}

/** What udev would start, and what that starts. */
const noticed = () =>
  run('systemctl start slm-copilot-disks-changed.service; systemctl start slm-copilot-reconfigure.service')

it('serves a model from a disk, without a network, until the disk is gone', async () => {
  const folder = join(work, 'models')
  mkdirSync(folder, { recursive: true })
  copyFileSync(await toolModel(), join(folder, 'Some-Name-Q4.gguf'))
  chmodSync(join(folder, 'Some-Name-Q4.gguf'), 0o644)
  const image = disk('models.img', '-L', 'COPILOT-MODELS', '-d', folder)
  const device = await attachDisk(machine, image)
  await noticed()
  await changeContext(machine, {
    ONEAPP_COPILOT_MODEL: 'caller',
    ONEAPP_COPILOT_MODEL_MIRROR: 'http://192.0.2.1/nothing',
  })
  expect(await contextualizeNow(machine)).toBe('bootstrap_success')
  await until(async () => (await served()) === 'caller')

  await detachDisk(machine, device)
  await noticed()
  expect(await served()).toBe('sentence')
  expect(await run('slm-copilot status')).toMatch(/caller was served from\s+\/srv\/copilot/)

  await attachDisk(machine, image)
  await noticed()
  await until(async () => (await served()) === 'caller')
})

describe('the state on a disk', () => {
  const marks = () => run('cat /var/lib/slm-copilot/password /etc/ssl/slm-copilot/ca.crt | sha256sum')

  it('refuses what is not empty, and says so', async () => {
    const device = await attachDisk(machine, disk('foreign.img', '-L', 'HOLIDAYS'))
    await changeContext(machine, { ONEAPP_COPILOT_STATE_DISK: device })
    expect(await contextualizeNow(machine)).toBe('configure_failure')
    expect(await run('slm-copilot doctor || true')).toMatch(
      /is not empty: it has\s+ext4,\s+and is\s+not formatted/,
    )
    await detachDisk(machine, device)
  })

  it('formats an empty disk, and is the same appliance on it', async () => {
    const before = await marks()
    const device = await attachDisk(machine, disk('state.img'))
    // It may have the foreign disk's name: without another change, the framework would see none.
    await changeContext(machine, { ONEAPP_COPILOT_STATE_DISK: device, ONEAPP_COPILOT_THREADS: '1' })
    expect(await contextualizeNow(machine)).toBe('bootstrap_success')
    expect(await run('findmnt --noheadings --output SOURCE /etc/ssl/slm-copilot')).toContain(device)
    expect(await marks()).toBe(before)
    expect(await contextualizeNow(machine)).toBe('bootstrap_success')
    expect(await marks()).toBe(before)
  })
})
