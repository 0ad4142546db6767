/** The appliance without its VM: what configure writes, run by the real nginx and llama-server on ports of their own. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { modelPath, paths, ports, users } from '../../../lib/appliance/paths.ts'
import { releaseFile } from '../../../lib/steps/models/release.ts'
import { filesUnder } from '../../../lib/system/files.ts'
import { openHost } from '../../../lib/system/host.ts'
import { http } from '../../../lib/system/http.ts'
import { applyFiles } from '../../../lib/system/managed-files.ts'
import { commandLineOf } from '../../../lib/system/processes.ts'
import { $ } from '../../../lib/system/shell.ts'
import { configure } from '../../../lifecycle/configure.ts'
import { unpackedRelease } from '../../mirror/llama-release.ts'
import { releaseValue } from '../../mirror/mirror.ts'
import { sentenceModel } from '../../mirror/sentence-model.ts'
import { type Call, toolModel } from '../../mirror/tool-model.ts'
import { type Watched, watch } from '../../mirror/watch.ts'
import { freePort } from '../../support/ports.ts'

/** nginx before a socket, as configured for a context. */
export type Edge = {
  root: string
  url: string
  httpUrl: string
  httpsPort: number
  accessLog: string
  errorLog: string
  /** What nginx and the admission proxy have printed. */
  output(): string
  /** nginx's workers that take connections, and those of the admission proxy behind it. */
  workers(): number[]
  admissionWorkers(): number[]
  admissionPid(): number | undefined
  /** Where nginx expects llama-server, and the admission proxy. */
  socket: string
  admissionSocket: string
  ca: string
  key: string
  /** Resolves once none of nginx's old workers takes a connection any more. */
  reloadNginx(): Promise<void>
  /** Configures for another context and reloads nginx, as bootstrap does. */
  reload(context: Record<string, string>): Promise<void>
  close(): Promise<void>
}

export type Stack = Edge & {
  llamaPid(): number | undefined
  llamaRuns(): boolean
  startLlama(): Promise<void>
  stopLlama(): Promise<void>
}

/** `NAME=value` lines, as systemd reads them. */
export const environmentOf = (text: string) =>
  Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map(line => line.split(/=(.*)/s).slice(0, 2) as [string, string]),
  )

/** What a test wants otherwise than the appliance has it. */
export type Options = {
  /** The model: one that calls this tool where it has tools, in Devstral's format; else the one that knows a sentence. */
  call?: Call
  /** The edge proxy's configuration, changed; the program in it. */
  site?: (text: string) => string
  program?: (text: string) => string
  /** The admission proxy's configuration, changed. */
  admission?: (text: string) => string
  /** Further settings of llama-server, by its variables' names. */
  settings?: Record<string, string>
}

/** Configures a folder for this context: a new one, or one that is there. */
export async function configuredFolder(
  context: Record<string, string>,
  { call }: Options = {},
  root = mkdtempSync(join(tmpdir(), 'slm-copilot-stack-')),
): Promise<string> {
  // Two slots, however much memory this machine has.
  const rooted = openHost({ env: { ONEAPP_COPILOT_PARALLEL: '2', ...context }, root })
  // What it writes is for this machine's nginx.
  const host = { ...rooted, query: $ }
  const release = await releaseValue('http://127.0.0.1')
  const model = call === undefined ? release.model : { ...release.model, template: 'devstral' as const }
  await applyFiles(host, [releaseFile({ ...release, model })])
  await configure(host)
  return root
}

/** The arguments that the unit gives to llama-server, their paths as they are here. */
const argumentsIn = (root: string) =>
  (readFileSync(join(root, paths.unit), 'utf8').match(/^ExecStart=(.*)$/m)?.[1] ?? '')
    .split(' ')
    .slice(1)
    .map(argument => (argument.startsWith('/') ? join(root, argument) : argument))

/** The stack that the unit gives to llama-server's threads. */
const stackIn = (root: string) =>
  readFileSync(join(root, paths.memoryDropIn), 'utf8').match(/^LimitSTACK=(\d+)$/m)?.[1]

/** What the site's absolute paths and ports are here. */
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
      // Root's folders are the tests' own.
      .replace(`user ${users.web};`, 'user root;\ndaemon off;')
  )
}

const admissionFolder = (root: string) => join(root, 'run/admission')

const workersOf = (master: number | undefined) =>
  readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

/** An old worker takes no connection any more, and goes when its last stream ends. */
const isLeaving = (pid: number) =>
  commandLineOf({ files: filesUnder('/') }, pid)?.includes('shutting down') ?? true

function startNginx(file: string): Watched {
  return watch(spawn('nginx', ['-e', 'stderr', '-c', file], { stdio: ['ignore', 'pipe', 'pipe'] }))
}

/** The admission proxy of a folder, before the same socket as the edge proxy. */
async function startAdmission(root: string, socket: string, options: Options): Promise<Watched> {
  mkdirSync(admissionFolder(root), { recursive: true })
  const text = readFileSync(join(root, paths.admissionConfiguration), 'utf8')
    .replaceAll(paths.admissionFolder, admissionFolder(root))
    .replaceAll(paths.admissionProgram, join(root, paths.admissionProgram))
    .replaceAll(paths.socket, socket)
  const file = join(root, 'run/admission.conf')
  writeFileSync(file, `user root;\n${options.admission?.(text) ?? text}`)
  const admission = startNginx(file)
  await admission.until(async () => existsSync(join(admissionFolder(root), 'admission.sock')))
  return admission
}

/** The real nginx with its admission proxy, and whatever listens on its socket. */
export async function startEdge(context: Record<string, string>, options: Options = {}): Promise<Edge> {
  const root = await configuredFolder(context, options)
  const numbers = { http: await freePort(), https: await freePort() }
  const folder = join(root, 'run')
  const socket = join(folder, 'llama.sock')
  const { site = text => text, program = text => text } = options
  const file = join(folder, 'nginx.conf')
  const writeSite = () => {
    writeFileSync(file, site(siteFor(root, socket, numbers)))
    const script = join(root, paths.edgeProgram)
    writeFileSync(script, program(readFileSync(script, 'utf8')))
  }
  mkdirSync(folder, { recursive: true })
  writeSite()
  const admission = await startAdmission(root, socket, options)
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

/** Everything up, the model loaded. */
export async function startStack(context: Record<string, string>, options: Options = {}): Promise<Stack> {
  const edge = await startEdge(context, options)
  const { root, socket } = edge
  const folder = await unpackedRelease()
  const settings = environmentOf(readFileSync(join(root, paths.llamaEnvironment), 'utf8'))
  const model = options.call === undefined ? await sentenceModel() : await toolModel(options.call)
  if (settings.LLAMA_ARG_MODEL !== modelPath('sentence'))
    throw new Error(`configured for ${settings.LLAMA_ARG_MODEL}`)
  let llama: Watched | undefined
  const stopLlama = async () => {
    await llama?.stop()
    rmSync(socket, { force: true })
  }
  const startLlama = async () => {
    // One thread: two that meet at barriers are ten times slower on a machine that is busy with other tests.
    const here = { LLAMA_ARG_MODEL: model, LLAMA_ARG_HOST: socket, LLAMA_ARG_THREADS: '1' }
    // A template of ours, where configure wrote it.
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
      http({ url: 'http://x/health', socket, timeout: 5 }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
  }
  // As CacheDirectory= would make it.
  mkdirSync(join(root, paths.promptCacheFolder), { recursive: true, mode: 0o700 })
  await startLlama()
  return {
    ...edge,
    llamaPid: () => llama?.pid,
    llamaRuns: () => llama?.runs() ?? false,
    startLlama,
    stopLlama,
    close: async () => {
      await stopLlama()
      await edge.close()
    },
  }
}
