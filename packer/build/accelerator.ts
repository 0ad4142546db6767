/** KVM where a short real boot proves that it works; QEMU's own translation (TCG) elsewhere. */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './cache.ts'

export type Accelerator = 'kvm' | 'tcg'

/** The CPU model to give a VM: llama-server wants AVX2, which both have. */
export const cpuModel = { kvm: 'host', tcg: 'max' } as const satisfies Record<Accelerator, string>

/**
 * How many CPUs a VM gets. Of two emulated ones the kernel finds the time-stamp counters apart, and asks a clock that
 * QEMU must answer each time: a stage then takes some three times as much of the host's CPU.
 */
export const cpus = { kvm: 2, tcg: 1 } as const satisfies Record<Accelerator, number>

/** `reason` is for the person who wonders why it is slow. */
type Choice = { accelerator: Accelerator; reason: string }

const patienceSeconds = 15

let chosen: Promise<Accelerator> | undefined

/** Chooses once per boot of the host, and says once what and why. `kernel`: a bootable Linux kernel. */
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
    return { accelerator: 'tcg', reason: 'no /dev/kvm that this user may open' }
  }
  console.log(`==> Trying KVM: a kernel has ${patienceSeconds} s to boot`)
  return (await bootsUnderKvm(kernel))
    ? { accelerator: 'kvm', reason: 'a kernel booted under it' }
    : { accelerator: 'tcg', reason: `KVM is there, but a kernel did not boot in ${patienceSeconds} s` }
}

/** A kernel without a root disk panics at the very end of its start, and `panic=-1` makes that a reboot: an exit. */
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
  const timer = setTimeout(() => guest.kill('SIGKILL'), patienceSeconds * 1000)
  return new Promise((resolve, reject) => {
    guest.on('error', reject)
    guest.on('close', () => {
      clearTimeout(timer)
      resolve(/Kernel panic.*root fs/.test(console_))
    })
  })
}
