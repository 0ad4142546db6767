/** Commands and files over SSH into a VM or container, as root, with the key in this cache. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { cacheFolder } from '../../packer/build/cache.ts'
import type { Machine } from './machine.ts'

const key = join(cacheFolder, 'vms', 'key')

/** The public key; the pair is generated once. */
export function publicKey(): string {
  mkdirSync(join(cacheFolder, 'vms'), { recursive: true, mode: 0o700 })
  if (!existsSync(key))
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'slm-copilot', '-f', key])
  return readFileSync(`${key}.pub`, 'utf8').trim()
}

/** Options of all connections: nothing in the maintainer's known_hosts, one shared connection for a minute. */
export const sshOptions = (machine: Machine): string[] =>
  [
    ['IdentityFile', key],
    ['IdentitiesOnly', 'yes'],
    ['StrictHostKeyChecking', 'no'],
    ['UserKnownHostsFile', '/dev/null'],
    ['LogLevel', 'ERROR'],
    ['ConnectTimeout', '20'],
    ['ConnectionAttempts', '3'],
    // To notice that a VM was reset; but a slow one may not answer for a while.
    ['ServerAliveInterval', '5'],
    ['ServerAliveCountMax', '24'],
    ['ControlMaster', 'auto'],
    ['ControlPath', join(machine.folder, 'ssh')],
    ['ControlPersist', '60'],
    ['Port', String(machine.ports.ssh)],
  ].map(([name, value]) => `-o${name}=${value}`)

/** `code`: the command's exit code; 255 is also ssh's own if there is no connection. */
export type SshResult = { stdout: string; stderr: string; code: number }

/** Runs a shell command in the machine; `input` is its stdin. Rejects only if ssh itself cannot be started. */
export function ssh(
  machine: Machine,
  command: string,
  input: string | Buffer = '',
  options: string[] = [],
): Promise<SshResult> {
  // ssh uses the first value that it is given for an option.
  const child = spawn('ssh', [...options, ...sshOptions(machine), 'root@127.0.0.1', '--', command])
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', chunk => {
      output[name] += chunk
    })
  // A command need not read all of its input.
  child.stdin.on('error', () => {}).end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ ...output, code: code ?? 255 }))
  })
}

/** The command's stdout. Rejects with its stderr if it fails, reason first: a run's last lines are cut. */
export async function sshOutput(
  machine: Machine,
  command: string,
  input: string | Buffer = '',
): Promise<string> {
  const { stdout, stderr, code } = await ssh(machine, command, input)
  if (code !== 0)
    throw new Error(`${machine.name}: ${stderr.trim() || stdout.trim()} (exit code ${code} of: ${command})`)
  return stdout
}

/** Copies a file into the machine atomically, so that it may replace a running program. `mode`: octal. */
export async function push(machine: Machine, file: string, path: string, mode = '0755'): Promise<void> {
  const partial = `${path}.${basename(file)}.new`
  await sshOutput(
    machine,
    `cat > '${partial}' && chmod ${mode} '${partial}' && mv '${partial}' '${path}'`,
    readFileSync(file),
  )
}
