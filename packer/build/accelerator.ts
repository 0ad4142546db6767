/** KVM if a short test boot succeeds with it, QEMU's emulation (TCG) otherwise. */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'

export type Accelerator = 'kvm' | 'tcg'

/** The CPU model to give a VM: llama-server needs AVX2 to be fast, and both have it. */
export const cpuModel = { kvm: 'host', tcg: 'max' } as const satisfies Record<Accelerator, string>

/**
 * How many CPUs a VM gets. With two emulated CPUs the kernel finds their time-stamp counters out of sync and falls back to
 * a clock source that QEMU has to emulate: a stage then takes some three times as much of the host's CPU.
 */
export const cpus = { kvm: 2, tcg: 1 } as const satisfies Record<Accelerator, number>

/** `reason` explains to the maintainer why the VM is slow. */
type Choice = { accelerator: Accelerator; reason: string }

const bootTimeoutSeconds = 15

let chosen: Promise<Accelerator> | undefined

/** Chooses once per boot of the host, and prints the choice and the reason. `kernel`: path of a bootable Linux kernel. */
export function chooseAccelerator(kernel: string): Promise<Accelerator> {
  chosen ??= choose(kernel)
  return chosen
}

async function choose(kernel: string): Promise<Accelerator> {
  const path = join(cacheFolder, 'accelerator.json')
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const known = existsSync(path)
    ? (JSON.parse(readFileSync(path, 'utf8')) as Choice & { boot: string })
    : undefined
  const choice = known?.boot === boot ? known : await probe(kernel)
  mkdirSync(cacheFolder, { recursive: true })
  writeFileSync(path, JSON.stringify({ ...choice, boot }))
  console.log(`==> Accelerator: ${choice.accelerator} (${choice.reason})`)
  return choice.accelerator
}

async function probe(kernel: string): Promise<Choice> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK)
  } catch {
    return { accelerator: 'tcg', reason: 'this user cannot open /dev/kvm' }
  }
  console.log(`==> Trying KVM: a test kernel has ${bootTimeoutSeconds} s to boot`)
  return (await bootsUnderKvm(kernel))
    ? { accelerator: 'kvm', reason: 'a test kernel booted' }
    : {
        accelerator: 'tcg',
        reason: `KVM is available, but a test kernel did not boot within ${bootTimeoutSeconds} s`,
      }
}

/** Without a root disk, a kernel panics at the very end of booting; `panic=-1` turns that into a reboot, and so into an exit. */
function bootsUnderKvm(kernel: string): Promise<boolean> {
  const arguments_ = [
    '-accel',
    'kvm',
    '-cpu',
    'host',
    '-m',
    '256',
    '-nodefaults',
    '-no-reboot',
    '-display',
    'none',
  ]
  const boot = ['-serial', 'stdio', '-kernel', kernel, '-append', 'console=ttyS0 panic=-1']
  const guest = spawn('qemu-system-x86_64', [...arguments_, ...boot], { stdio: ['ignore', 'pipe', 'ignore'] })
  let console_ = ''
  guest.stdout.on('data', chunk => {
    console_ += chunk
  })
  const timer = setTimeout(() => guest.kill('SIGKILL'), bootTimeoutSeconds * 1000)
  return new Promise((resolve, reject) => {
    guest.on('error', reject)
    guest.on('close', () => {
      clearTimeout(timer)
      resolve(/Kernel panic.*root fs/.test(console_))
    })
  })
}
