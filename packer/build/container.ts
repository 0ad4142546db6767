/** Boots a disk of ours in systemd-nspawn, by container.sh. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { asRoot } from './as-root.ts'
import { userNetwork } from './context-disk.ts'

/** A guest's address, from the DHCP server of QEMU's user network, and of slirp4netns. */
const guestAddress = '10.0.2.15'

const needs =
  'Containers need root with CAP_SYS_ADMIN, systemd-nspawn, slirp4netns, /dev/net/tun, loop devices, the overlay file ' +
  'system, and control groups of version 2 (in /sys/fs/cgroup or /sys/fs/cgroup/unified)'

/** A container's place in a network with others: the process that has the network, and the container's IPv4 address. */
export type Segment = { pid: number; address: string }

type ContainerInputs = {
  /** `bake`: what it writes stays on the disk, and a line on its standard input shuts it down. It ends with this process. */
  purpose: 'run' | 'bake'
  /** With `context.disk` in it (ext4). */
  folder: string
  /** Raw. */
  disk: string
  /** Path of its control group, to be created. */
  group: string
  /** For its console. */
  console: string
  segment?: Segment | undefined
}

/** Starts container.sh, and waits until the network is ready; throws with what it printed if it ends before. */
export async function bootContainer(inputs: ContainerInputs): Promise<ChildProcess> {
  const { purpose, folder, disk, group, segment } = inputs
  const script = [
    join(import.meta.dirname, 'container.sh'),
    purpose,
    folder,
    disk,
    group,
    userNetwork.ETH0_MAC,
    ...(segment === undefined ? [] : [segment.address]),
  ]
  const namespaces = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--']
  // Opened here: within its PID namespace, it does not see that process.
  const opened =
    segment === undefined ? [] : ['bash', '-c', 'exec 3< "/proc/$0/ns/net"; exec "$@"', String(segment.pid)]
  const [program = '', ...args] = asRoot([...opened, ...namespaces, 'bash', ...script])
  const output = openSync(inputs.console, 'a', 0o600)
  const child = spawn(program, args, {
    detached: true,
    stdio: [purpose === 'bake' ? 'pipe' : 'ignore', output, output],
  })
  closeSync(output)
  await new Promise((resolve, reject) => child.once('spawn', resolve).once('error', reject))
  while (!existsSync(join(folder, 'started'))) {
    if (hasEnded(child))
      throw new Error(
        `The container was not started (${child.exitCode}): ${lastLines(inputs.console)}. ${needs}.`,
      )
    await setTimeout(20)
  }
  return child
}

type Network = {
  pid: number
  /** Cuts a container off, so that the others do not learn of its end, and another may have its address. */
  cut(address: string): void
  stop(): void
}

/** A network for containers, without a way out: its process, which ends with this one, and takes the network with it. */
export async function startNetwork(): Promise<Network> {
  const script =
    'ip link add segment type bridge forward_delay 0; ip link set segment up; echo $$; exec cat > /dev/null'
  const [program = '', ...args] = asRoot(['unshare', '--net', '--', 'bash', '-euc', script])
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'close')])) as [unknown]
  if (hasEnded(child)) throw new Error(`The containers' network was not started. ${needs}.`)
  const pid = Number(String(line))
  return {
    pid,
    cut: address => {
      const port = `port-${address.split('.').at(-1)}`
      const [nsenter = '', ...words] = asRoot(['nsenter', `--net=/proc/${pid}/ns/net`])
      execFileSync(nsenter, [...words, 'ip', 'link', 'delete', port])
    },
    stop: () => void child.stdin.end(),
  }
}

export const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** The end of a container's console. */
export const lastLines = (path: string) => readFileSync(path, 'utf8').trimEnd().slice(-1000)

/** Forwards a port of 127.0.0.1 to one of the container in this folder, through slirp4netns's socket. */
export async function forwardPort(folder: string, hostPort: number, guestPort: number): Promise<void> {
  const socket = connect(join(folder, 'network'))
  const ports = {
    host_addr: '127.0.0.1',
    host_port: hostPort,
    guest_addr: guestAddress,
    guest_port: guestPort,
  }
  socket.end(JSON.stringify({ execute: 'add_hostfwd', arguments: { proto: 'tcp', ...ports } }))
  const answer = await text(socket)
  if (!('return' in JSON.parse(answer)))
    throw new Error(`slirp4netns did not forward port ${hostPort}: ${answer}`)
}

/** Beside the controllers of version 1, if the host uses those. */
const findRoot = () =>
  ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find(each => existsSync(join(each, 'cgroup.procs')))
const root = () => findRoot() ?? '/sys/fs/cgroup'

export const hasControlGroups = () => findRoot() !== undefined

/** The path of a control group, whose name is unique on this host. */
export const controlGroup = (name: string): string => join(root(), `slm-copilot-${name}`)

/** The paths of all such groups. */
export const controlGroups = (): string[] =>
  readdirSync(root())
    .filter(name => name.startsWith('slm-copilot-'))
    .map(name => join(root(), name))

/** Seconds that processes may take to end once they have been killed. */
const endTimeout = 120

/** Where the host has a hierarchy of version 1, systemd-nspawn adds groups of the same name to it. */
const legacyGroupOf = (group: string) => join('/sys/fs/cgroup/systemd', basename(group))

/** Removes a control group and those in it, once its processes have ended. */
export async function removeGroup(group: string): Promise<void> {
  if (existsSync(group)) await untilEnded(group)
  const present = [group, legacyGroupOf(group)].filter(existsSync)
  if (present.length === 0) return
  const remove = '-depth -type d -exec rmdir {} +'.split(' ')
  const [program = '', ...args] = asRoot(['find', ...present, ...remove])
  execFileSync(program, args)
}

async function untilEnded(group: string): Promise<void> {
  const deadline = Date.now() + endTimeout * 1000
  while (/^populated 1$/m.test(readFileSync(join(group, 'cgroup.events'), 'utf8'))) {
    if (Date.now() > deadline)
      throw new Error(
        `Processes of ${group} are still running after ${endTimeout} s. Kill those in its cgroup.procs.`,
      )
    await setTimeout(50)
  }
}
