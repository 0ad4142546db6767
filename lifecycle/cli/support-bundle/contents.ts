/** What a support bundle contains, still with its secrets. Nothing of users' homes, and nothing of requests' content. */
import { masked } from '../../../lib/appliance/context/masking.ts'
import { modelServices, paths, units } from '../../../lib/appliance/paths.ts'
import { statusText } from '../../../lib/render/text/status.ts'
import { mayBeShown } from '../../../lib/steps/support/secrets.ts'
import type { Host } from '../../../lib/system/host.ts'
import { about } from '../about.ts'
import { doctor } from '../doctor.ts'
import { status } from '../status.ts'

export type BundleFile = { name: string; text: string }

/** Lines of a log, from its end. */
const mostLines = 2000

export async function bundleContents(host: Host, context: Record<string, string>): Promise<BundleFile[]> {
  const seen = await status(host)
  return [
    { name: 'status.txt', text: statusText(seen) },
    { name: 'status.json', text: `${JSON.stringify(seen, null, 2)}\n` },
    { name: 'doctor.txt', text: await doctorText(host) },
    { name: 'versions.json', text: about(host, true) },
    { name: 'context.txt', text: contextText(context) },
    ...filesIn(host),
    ...(await outputsOf(commands(host))),
    ...(await outputsOf(journals(host))),
  ]
}

async function doctorText(host: Host): Promise<string> {
  let text = ''
  await doctor(host, part => {
    text += part
  })
  return text
}

/** The names of all variables; of a secret or unknown one only its length. */
const contextText = (context: Record<string, string>): string =>
  Object.entries(context)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${masked(value, !mayBeShown(name))}\n`)
    .join('')

const logs = [
  paths.log,
  paths.accessLog,
  paths.errorLog,
  ...['install', 'configure', 'bootstrap'].map(frameworkLog),
]
function frameworkLog(stage: string) {
  return `/var/log/one-appliance/${stage}.log`
}

const wholeFiles = [
  ...[
    paths.plan,
    ...Object.values(modelServices).map(({ environment }) => environment),
    paths.release,
    paths.fileProofs,
    paths.verifications,
    paths.attempts,
  ],
  ...[
    paths.restarts,
    paths.watchdog,
    paths.readiness,
    paths.unavailableReason,
    paths.stageRuns,
    paths.smokeTest,
    paths.disks,
    paths.stateStamp,
    paths.fleet,
    paths.routerConfiguration,
  ],
  ...[paths.edgeConfiguration, paths.admissionConfiguration, paths.connectionLimit, paths.currentHeaders],
  ...[paths.messageOfTheDay, paths.frameworkStatus, paths.chronyConfiguration, paths.osRelease],
  ...['/proc/meminfo', '/proc/cpuinfo', '/proc/loadavg', '/proc/pressure/memory', '/proc/pressure/cpu'],
]

function filesIn(host: Host): BundleFile[] {
  const tail = (text: string) => text.split('\n').slice(-mostLines).join('\n')
  return [...wholeFiles, ...logs].flatMap(path => {
    const text = textOf(host, path)
    return text === undefined ? [] : [{ name: `files${path}`, text: logs.includes(path) ? tail(text) : text }]
  })
}

/** A file's text; why it could not be read; undefined if it does not exist. */
function textOf(host: Host, path: string): string | undefined {
  try {
    return host.files.read(path)
  } catch (error) {
    return `${(error as Error).message}\n`
  }
}

type Query = { name: string; run: () => Promise<{ stdout: string; stderr: string }> }

const serviceUnits = Object.values(modelServices).map(({ unit }) => unit)
const ownUnits = [...new Set([...Object.values(units), ...serviceUnits, 'one-context.service'])]

/** No command prints the arguments of others, where somebody may have written a secret. */
const commands = ({ query: $ }: Host): Query[] => [
  { name: 'uname', run: () => $`uname -a`.nothrow() },
  { name: 'uptime', run: () => $`uptime`.nothrow() },
  { name: 'memory', run: () => $`free -m`.nothrow() },
  { name: 'disks', run: () => $`df -h`.nothrow() },
  { name: 'inodes', run: () => $`df -i`.nothrow() },
  { name: 'mounts', run: () => $`findmnt --ascii --types ext4,xfs,tmpfs,overlay,virtiofs,9p`.nothrow() },
  { name: 'block-devices', run: () => $`lsblk --ascii --fs`.nothrow() },
  { name: 'cpu', run: () => $`lscpu`.nothrow() },
  { name: 'processes', run: () => $`ps -eo pid,ppid,user,stat,rss,time,comm`.nothrow() },
  { name: 'addresses', run: () => $`ip -brief address`.nothrow() },
  { name: 'routes', run: () => $`ip route`.nothrow() },
  { name: 'listeners', run: () => $`ss -Hltnp`.nothrow() },
  { name: 'clock', run: () => $`chronyc -h ${paths.chronySocket} -n tracking`.nothrow() },
  { name: 'failed-units', run: () => $`systemctl list-units --failed --no-pager --plain`.nothrow() },
  { name: 'timers', run: () => $`systemctl list-timers --all --no-pager`.nothrow() },
  { name: 'units', run: () => $`systemctl status --lines=0 --no-pager ${ownUnits}`.nothrow() },
  { name: 'unit-files', run: () => $`systemctl cat --no-pager ${ownUnits}`.nothrow() },
  { name: 'nginx-test', run: () => $`nginx -t -c ${paths.edgeConfiguration}`.nothrow() },
]

const journals = ({ query: $ }: Host): Query[] => [
  ...ownUnits.map(unit => ({
    name: `journal-${unit}`,
    run: () =>
      $`journalctl --unit ${unit} --lines ${mostLines} --output short-iso --no-pager --quiet`.nothrow(),
  })),
  {
    name: 'journal-kernel',
    run: () => $`journalctl --dmesg --lines ${mostLines} --output short-iso --no-pager --quiet`.nothrow(),
  },
]

async function outputsOf(queries: Query[]): Promise<BundleFile[]> {
  const files: BundleFile[] = []
  for (const { name, run } of queries) {
    const { stdout, stderr } = await run()
    if (stdout + stderr !== '') files.push({ name: `commands/${name}.txt`, text: `${stdout}${stderr}` })
  }
  return files
}
