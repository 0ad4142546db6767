/** The appliance without its VM: what configure writes, run by the real nginx and llama-server on free ports. */
import { spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Model } from '../../../lib/appliance/models/catalogue.ts'
import { modelPath, modelServices, paths, ports, users } from '../../../lib/appliance/paths.ts'
import { stateFiles } from '../../../lib/appliance/state-files.ts'
import { releaseFile } from '../../../lib/steps/models/release.ts'
import { filesUnder } from '../../../lib/system/files.ts'
import { openHost } from '../../../lib/system/host.ts'
import { http, respondsOk } from '../../../lib/system/http.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { commandLineOf } from '../../../lib/system/processes.ts'
import { $ } from '../../../lib/system/shell.ts'
import { recordProof } from '../../../lib/system/verified-files.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { freePort } from '../../../packer/build/ports.ts'
import { type WatchedProcess, watch } from '../../../packer/build/watch.ts'
import { unpackedRelease } from '../../mirror/llama-release.ts'
import { companionFile, releaseValue } from '../../mirror/mirror.ts'
import { sentenceModel } from '../../mirror/sentence-model.ts'
import { type Call, toolModel } from '../../mirror/tool-model.ts'
import { startRecorder } from './recorder.ts'

/** Both proxies as configured for a context, in front of llama-server's socket. */
export type Edge = {
  root: string
  url: string
  httpUrl: string
  httpsPort: number
  accessLog: string
  /** The file with metrics that the timer would write. */
  metrics: string
  errorLog: string
  /** The output of nginx and the admission proxy. */
  output(): string
  /** nginx's workers that accept connections, and those of the admission proxy behind it. */
  workers(): number[]
  admissionWorkers(): number[]
  admissionPid(): number | undefined
  /** The sockets where nginx expects llama-server and the admission proxy. */
  socket: string
  admissionSocket: string
  ca: string
  key: string
  /** Reloads nginx; resolves once none of its old workers accepts connections any more. */
  reloadNginx(): Promise<void>
  /** Configures for another context and reloads nginx, as bootstrap does. */
  reload(context: Record<string, string>): Promise<void>
  close(): Promise<void>
}

export type Stack = Edge & {
  llamaPid(): number | undefined
  /** What llama-server has printed since it was started, which the journal gets. */
  llamaOutput(): string
  llamaRuns(): boolean
  startLlama(): Promise<void>
  stopLlama(): Promise<void>
}

/** Parses `NAME=value` lines, as systemd does. */
export const environmentOf = (text: string) =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )

/** How a test deviates from the appliance. */
export type Options = {
  /** Serve the model that makes this call if it has tools, in Devstral's format; by default, the one with a sentence. */
  call?: Call
  /** What the served model's record says in addition. */
  model?: Partial<Model>
  /** Changes the edge proxy's configuration, and its program. */
  site?: (text: string) => string
  program?: (text: string) => string
  /** Changes the admission proxy's configuration. */
  admission?: (text: string) => string
  /** The services beside chat, by their models on the mirror: these are on the disk. */
  companions?: string[]
  /** Further environment variables of llama-server. */
  settings?: Record<string, string>
  /** Called with each of llama-server's answers to a POST request, once it has ended. */
  record?: (answer: string) => void
}

/** Configures a new or an existing folder for this context. */
export async function configuredFolder(
  context: Record<string, string>,
  { call, model: added, companions = [] }: Options = {},
  root = mkdtempSync(join(tmpdir(), 'slm-copilot-stack-')),
): Promise<string> {
  // Two slots, however much memory this machine has.
  const rooted = openHost({ env: { ONEAPP_COPILOT_PARALLEL: '2', ...context }, root })
  // Queries run on this machine, so that the configuration suits its nginx.
  const host = { ...rooted, query: $ }
  const release = await releaseValue('http://127.0.0.1')
  const template = call === undefined ? {} : { template: 'devstral' as const }
  const model: Model = { ...release.model, ...template, ...added }
  await applyFiles(host, [releaseFile({ ...release, model })])
  for (const { name, sha256 } of release.companions.filter(one => companions.includes(one.name))) {
    const path = modelPath(name)
    mkdirSync(join(root, paths.models), { recursive: true })
    copyFileSync(await companionFile(name), join(root, path))
    recordProof(rooted, { path, sha256, proofs: stateFiles.fileProofs }, path)
  }
  await configure(host)
  return root
}

/** The unit's arguments for llama-server, with paths below `root`. */
const argumentsIn = (root: string) =>
  (readFileSync(join(root, paths.unit), 'utf8').match(/^ExecStart=(.*)$/m)?.[1] ?? '')
    .split(' ')
    .slice(1)
    .map(argument => (argument.startsWith('/') ? join(root, argument) : argument))

/** The stack size of llama-server's threads in the unit, in bytes. */
const stackIn = (root: string) =>
  readFileSync(join(root, paths.memoryDropIn), 'utf8').match(/^LimitSTACK=(\d+)$/m)?.[1]

/** Applies a test's change. Throws if it finds nothing to change: the test would then prove nothing. */
function changed(text: string, change: ((text: string) => string) | undefined): string {
  if (change === undefined) return text
  const result = change(text)
  if (result === text) throw new Error(`Nothing was changed by ${change}`)
  return result
}

/** The edge proxy's configuration, with paths below `root` and free ports. */
function siteFor(root: string, socket: string, numbers: { http: number; https: number }): string {
  const text = readFileSync(join(root, paths.edgeConfiguration), 'utf8')
  return (
    text
      .replaceAll(/listen \[::\]:80 .*;/g, '')
      .replaceAll(`listen [::]:${ports.https} `, `listen [::]:${numbers.https} ipv6only=on `)
      .replaceAll(`listen ${ports.http} `, `listen 127.0.0.1:${numbers.http} `)
      .replaceAll(`listen ${ports.https} `, `listen ${numbers.https} `)
      .replaceAll('/var/log/nginx', join(root, 'run'))
      .replaceAll(paths.nginxPid, join(root, 'run/nginx.pid'))
      .replaceAll(paths.edgeBodies, join(root, 'run/bodies'))
      .replaceAll(paths.edgeProgram, join(root, paths.edgeProgram))
      .replaceAll(paths.socket, socket)
      .replaceAll(paths.admissionFolder, admissionFolder(root))
      .replaceAll(paths.tls, join(root, paths.tls))
      .replaceAll('/var/www/', join(root, '/var/www/'))
      // The folders belong to root.
      .replace(`user ${users.web};`, 'user root;\ndaemon off;')
  )
}

const admissionFolder = (root: string) => join(root, paths.admissionFolder)

const workersOf = (master: number | undefined) =>
  readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** Whether an old worker accepts no more connections; it exits when its last stream ends. */
const isLeaving = (pid: number) =>
  commandLineOf({ files: filesUnder('/') }, pid)?.includes('shutting down') ?? true

function startNginx(file: string): WatchedProcess {
  return watch(spawn('nginx', ['-e', 'stderr', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** Starts a router's HAProxy, which knows no copilot yet. */
async function startHaproxy(root: string): Promise<WatchedProcess> {
  mkdirSync(admissionFolder(root), { recursive: true })
  const text = readFileSync(join(root, paths.routerConfiguration), 'utf8')
    .replaceAll(paths.admissionFolder, admissionFolder(root))
    .replaceAll(paths.routerProgram, join(root, paths.routerProgram))
  const file = join(root, 'run/haproxy.cfg')
  writeFileSync(file, text)
  const haproxy = watch(spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] }))
  await haproxy.until(async () => existsSync(join(root, paths.repeatedSocket)))
  return haproxy
}

/** Starts the admission proxy of a folder, in front of llama-server's socket. */
async function startAdmission(root: string, socket: string, options: Options): Promise<WatchedProcess> {
  mkdirSync(admissionFolder(root), { recursive: true })
  const text = readFileSync(join(root, paths.admissionConfiguration), 'utf8')
    .replaceAll(paths.admissionFolder, admissionFolder(root))
    .replaceAll(paths.admissionProgram, join(root, paths.admissionProgram))
    .replaceAll(paths.socket, socket)
    .replaceAll('unix:/run/slm-copilot-', `unix:${root}/run/slm-copilot-`)
  const file = join(root, 'run/admission.conf')
  writeFileSync(file, `user root;\n${changed(text, options.admission)}`)
  const admission = startNginx(file)
  await admission.until(async () => existsSync(join(admissionFolder(root), 'admission.sock')))
  return admission
}

/** Starts the edge and admission proxies; the test decides what listens on llama-server's socket. */
export async function startEdge(context: Record<string, string>, options: Options = {}): Promise<Edge> {
  const root = await configuredFolder(context, options)
  const numbers = { http: await freePort(), https: await freePort() }
  const folder = join(root, 'run')
  const socket = join(folder, 'llama.sock')
  const file = join(folder, 'nginx.conf')
  const metrics = join(root, paths.metrics)
  const writeSite = () => {
    writeFileSync(file, changed(siteFor(root, socket, numbers), options.site))
    const script = join(root, paths.edgeProgram)
    writeFileSync(
      script,
      changed(
        readFileSync(script, 'utf8')
          .replaceAll(paths.metrics, metrics)
          .replaceAll(paths.fleetModels, join(root, paths.fleetModels)),
        options.program,
      ),
    )
  }
  mkdirSync(folder, { recursive: true })
  writeSite()
  const isRouter = existsSync(join(root, paths.routerConfiguration))
  const admission = await (isRouter ? startHaproxy(root) : startAdmission(root, socket, options))
  const nginx = startNginx(file)
  const url = `https://127.0.0.1:${numbers.https}`
  const ca = readFileSync(join(root, paths.caCertificate), 'utf8')
  await nginx.until(() =>
    http({ url: `${url}/ca.crt`, ca, timeout: 5 }).then(
      () => true,
      () => false,
    ),
  )
  const reloadNginx = async () => {
    const workers = workersOf(nginx.pid)
    nginx.signal('SIGHUP')
    await nginx.until(async () => workers.every(isLeaving))
  }
  return {
    root,
    url,
    reloadNginx,
    httpUrl: `http://127.0.0.1:${numbers.http}`,
    httpsPort: numbers.https,
    accessLog: join(folder, 'slm-copilot.access'),
    metrics,
    errorLog: join(folder, 'slm-copilot.errors'),
    output: () => nginx.output() + admission.output(),
    workers: () => workersOf(nginx.pid).filter(pid => !isLeaving(pid)),
    admissionWorkers: () => workersOf(admission.pid),
    admissionPid: () => admission.pid,
    socket,
    admissionSocket: join(admissionFolder(root), 'admission.sock'),
    ca,
    key: readFileSync(join(root, paths.password), 'utf8').trim(),
    reload: async changed => {
      await configuredFolder(changed, options, root)
      writeSite()
      await reloadNginx()
    },
    close: async () => {
      await nginx.stop()
      await admission.stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

/** Starts everything; resolves once the model is loaded. */
export async function startStack(context: Record<string, string>, options: Options = {}): Promise<Stack> {
  const edge = await startEdge(context, options)
  const { root, socket } = edge
  const folder = await unpackedRelease()
  const settings = environmentOf(readFileSync(join(root, paths.llamaEnvironment), 'utf8'))
  const model = options.call === undefined ? await sentenceModel() : await toolModel(options.call)
  if (settings.LLAMA_ARG_MODEL !== modelPath('sentence'))
    throw new Error(`configured for ${settings.LLAMA_ARG_MODEL}`)
  // With a recorder between the admission proxy and llama-server, that listens elsewhere.
  const ownSocket = options.record === undefined ? socket : join(dirname(socket), 'recorded.sock')
  const recorder = options.record && (await startRecorder(socket, ownSocket, options.record))
  let llama: WatchedProcess | undefined
  const stopLlama = async () => {
    await llama?.stop()
    rmSync(ownSocket, { force: true })
  }
  const startLlama = async () => {
    // One thread: with two, which wait for each other, a machine that is busy with other tests is ten times slower.
    const here = { LLAMA_ARG_MODEL: model, LLAMA_ARG_HOST: ownSocket, LLAMA_ARG_THREADS: '1' }
    // Our own template, at the path where configure wrote it.
    const template = settings.LLAMA_ARG_CHAT_TEMPLATE_FILE
    const env = {
      ...settings,
      ...here,
      ...(template === undefined ? {} : { LLAMA_ARG_CHAT_TEMPLATE_FILE: join(root, template) }),
      ...options.settings,
    }
    llama = watch(
      spawn('prlimit', [`--stack=${stackIn(root)}`, join(folder, 'llama-server'), ...argumentsIn(root)], {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    await llama.until(() =>
      http({ url: 'http://x/health', socket: ownSocket, timeout: 5 }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
  }
  // As systemd would create it for CacheDirectory=.
  mkdirSync(join(root, paths.promptCacheFolder), { recursive: true, mode: 0o700 })
  await startLlama()
  const stopCompanions = await startCompanions(root, folder)
  return {
    ...edge,
    llamaPid: () => llama?.pid,
    llamaOutput: () => llama?.output() ?? '',
    llamaRuns: () => llama?.runs() ?? false,
    startLlama,
    stopLlama,
    close: async () => {
      await stopLlama()
      await recorder?.stop()
      await stopCompanions()
      await edge.close()
    },
  }
}

/** Starts the llama-servers of the services beside chat that are configured; resolves once their models are loaded. */
async function startCompanions(root: string, folder: string): Promise<() => Promise<void>> {
  const started: WatchedProcess[] = []
  for (const { kind, environment, socket: configured } of Object.values(modelServices)) {
    const file = join(root, environment)
    if (kind === 'chat' || !existsSync(file)) continue
    const settings = environmentOf(readFileSync(file, 'utf8'))
    const socket = join(root, configured)
    mkdirSync(dirname(socket), { recursive: true })
    const here = {
      LLAMA_ARG_MODEL: join(root, settings.LLAMA_ARG_MODEL ?? ''),
      LLAMA_ARG_HOST: socket,
      LLAMA_ARG_THREADS: '1',
    }
    const server = watch(
      spawn(join(folder, 'llama-server'), {
        env: { ...settings, ...here },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    )
    started.push(server)
    await server.until(() => respondsOk({ http }, 'http://x/health', socket))
  }
  return async () => {
    for (const server of started) await server.stop()
  }
}
