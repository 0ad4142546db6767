/** KVM if a short test boot succeeds with it, QEMU's emulation (TCG) otherwise. */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { release } from 'node:os'
import { join } from 'node:path'
import { filesUnder } from '../../lib/system/files.ts'
import { cacheFolder } from './cache.ts'

export type Accelerator = 'kvm' | 'tcg'

/**
 * The CPU model to give a VM: llama-server needs AVX2 to be fast, and both have it. Without protection keys, because V8
 * switches them whenever it writes machine code, and QEMU empties its whole TLB at each switch.
 */
export const cpuModel = { kvm: 'host', tcg: 'max,-pku' } as const satisfies Record<Accelerator, string>

/**
 * How many CPUs a VM gets. With two emulated CPUs the kernel finds their time-stamp counters out of sync and falls
 * back to a clock source that QEMU has to emulate: a stage then takes some three times as much of the host's CPU.
 */
export const cpus = { kvm: 2, tcg: 1 } as const satisfies Record<Accelerator, number>

/** `reason` explains to the maintainer why the VM is slow. */
export type AcceleratorChoice = { accelerator: Accelerator; reason: string }

const bootTimeoutSeconds = 15

let chosen: Promise<Accelerator> | undefined

/**
 * Chooses once per boot of the host, and prints the choice and the reason. `kernel`: path of a bootable Linux
 * kernel; by default the host's own.
 */
export function chooseAccelerator(kernel = hostKernel()): Promise<Accelerator> {
  chosen ??= choose(kernel)
  return chosen
}

const hostKernel = () => `/boot/vmlinuz-${release()}`
const recordPath = join(cacheFolder, 'accelerator.json')
const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** What has been found out since the host was booted. */
export function knownAccelerator(): AcceleratorChoice | undefined {
  if (!existsSync(recordPath)) return undefined
  const { boot, ...choice } = JSON.parse(readFileSync(recordPath, 'utf8')) as AcceleratorChoice & {
    boot: string
  }
  return boot === bootId() ? choice : undefined
}

async function choose(kernel: string): Promise<Accelerator> {
  const choice = knownAccelerator() ?? (await probe(kernel))
  mkdirSync(cacheFolder, { recursive: true })
  filesUnder('/').replace(recordPath, JSON.stringify({ ...choice, boot: bootId() }), 0o644)
  console.log(`==> Accelerator: ${choice.accelerator} (${choice.reason})`)
  return choice.accelerator
}

/** Whether this user may try. */
export const canOpenKvm = () => canOpen('/dev/kvm', constants.R_OK | constants.W_OK)

function canOpen(path: string, mode = constants.R_OK): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

async function probe(kernel: string): Promise<AcceleratorChoice> {
  if (!canOpenKvm()) return { accelerator: 'tcg', reason: 'this user cannot open /dev/kvm' }
  if (!canOpen(kernel)) return { accelerator: 'kvm', reason: `untested: this user cannot read ${kernel}` }
  console.log(`==> Trying KVM: a test kernel has ${bootTimeoutSeconds} s to boot`)
  return (await bootsUnderKvm(kernel))
    ? { accelerator: 'kvm', reason: 'a test kernel booted' }
    : {
        accelerator: 'tcg',
        reason: `with KVM, a test kernel did not boot within ${bootTimeoutSeconds} s`,
      }
}

/**
 * Without a root disk, a kernel panics at the very end of booting; `panic=-1` turns that into a reboot, and so into
 * an exit.
 */
function bootsUnderKvm(kernel: string): Promise<boolean> {
  const machine = [
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
  const guest = spawn('qemu-system-x86_64', [...machine, ...boot], { stdio: ['ignore', 'pipe', 'ignore'] })
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
