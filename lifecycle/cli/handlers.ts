/** Implements the commands. The executable compiles this file and its imports only when a command is run. */

import { resolve } from 'node:path'
import { paths } from '../../lib/appliance/paths.ts'
import type { StageName } from '../../lib/appliance/stages.ts'
import type { Host, HostOptions } from '../../lib/system/host.ts'
import { openHost } from '../../lib/system/host.ts'
import { inputFile } from '../../lib/system/input-files.ts'
import { openLog } from '../../lib/system/log.ts'
import { print } from '../../lib/system/plain-text.ts'
import type { OptionValues } from './command-line.ts'
import { type Command, type CommandName, commands } from './commands.ts'
import { overview } from './usage.ts'
import { UsageError } from './usage-error.ts'

type HandlerInput = { name: CommandName; values: OptionValues; argument?: string | undefined }

/** Resolves with false for exit code 1 without an error. */
type CommandHandler = (host: Host, run: HandlerInput) => Promise<unknown>

const text = (value: OptionValues[string]) => (typeof value === 'string' ? value : undefined)

/** The file given with an option, if any. */
const fileOf = (option: string, { [option]: path }: OptionValues) =>
  typeof path === 'string' ? inputFile(option, path) : undefined

/** Runs an action that changes files or services while no other does. */
async function exclusively(host: Host, act: (host: Host) => Promise<unknown>): Promise<void> {
  const { oneAtATime } = await import('../../lib/steps/one-at-a-time.ts')
  await oneAtATime(host, () => act(host))
}

/** Runs a stage, and records its result for `status`. */
async function recordedStage(host: Host, name: StageName, act: () => Promise<unknown>): Promise<void> {
  const { recorded } = await import('../../lib/steps/stage-runs.ts')
  await recorded(host, name, act)
}

const handlers: Record<CommandName, CommandHandler> = {
  install: async (host, { values }) => {
    const { install, prepareInstall, switchInstall } = await import('../install.ts')
    const release = fileOf('release', values)
    if (values.prepare) await prepareInstall(host, release)
    else if (values.switch) await switchInstall(host, release)
    else await recordedStage(host, 'install', () => install(host, release, text(values.mirror)))
  },
  upgrade: async (host, { values, argument }) => {
    const { resume, rollback, upgrade } = await import('../upgrade.ts')
    const { previewUpgrade } = await import('../upgrade-source.ts')
    if (values.resume) return resume(host)
    if (values.rollback) return rollback(host)
    if (argument === undefined)
      throw new UsageError('slm-copilot upgrade: takes the FILE of a release, or --rollback.')
    const publicKey = fileOf('public-key', values)?.text
    const options = { source: resolve(argument), publicKey, unsigned: values.unsigned === true }
    await (values['dry-run'] ? previewUpgrade(host, options) : upgrade(host, options))
  },
  configure: async host => {
    const { configure } = await import('../configure.ts')
    await exclusively(host, () => recordedStage(host, 'configure', () => configure(host)))
  },
  bootstrap: async (host, { values }) => {
    const { bootstrapAndFetch } = await import('../bootstrap.ts')
    const report = text(values.report) ?? paths.report
    await exclusively(host, () => recordedStage(host, 'bootstrap', () => bootstrapAndFetch(host, report)))
  },
  reconfigure: async host => {
    const { inCurrentContext, reconfigure } = await import('../current-context.ts')
    await exclusively(host, () => reconfigure(inCurrentContext(host)))
  },
  renew: async host => {
    const { renew } = await import('../renew.ts')
    await exclusively(host, renew)
  },
  backends: async (host, { argument }) => {
    const { listBackends, syncBackends } = await import('../backends.ts')
    if (argument === 'sync') return syncBackends(host)
    if (argument !== undefined) throw new UsageError('slm-copilot backends: takes nothing, or sync.')
    print(await listBackends(host))
  },
  'fetch-model': async (host, { values }) => {
    const { fetchModel, retryModel } = await import('../fetch-model.ts')
    await (values.retry ? retryModel(host) : fetchModel(host))
  },
  'fetch-companions': async host => {
    const { fetchCompanions } = await import('../fetch-companions.ts')
    await fetchCompanions(host)
  },
  sbom: async (host, { values }) => {
    const { sbom } = await import('../sbom.ts')
    await sbom(host, text(values['one-apps']))
  },
  status: async (host, { values }) => {
    const { status, statusJsonSchema } = await import('./status.ts')
    if (values.schema) {
      print(statusJsonSchema())
      return
    }
    const { statusText } = await import('../../lib/render/text/status.ts')
    const seen = await status(host)
    print(values.json ? `${JSON.stringify(seen, null, 2)}\n` : statusText(seen))
    return seen.isServing
  },
  doctor: async host => {
    const { doctor } = await import('./doctor.ts')
    return doctor(host, print)
  },
  usage: async (host, { values }) => {
    const { requestUsage } = await import('./request-usage.ts')
    print(await requestUsage(host, text(values.since), values.json === true))
  },
  verify: async host => {
    const { verify } = await import('./verify.ts')
    return verify(host, print)
  },
  'support-bundle': async (host, { values }) => {
    const { supportBundle } = await import('./support-bundle.ts')
    await supportBundle(host, { output: text(values.output), onlyList: values.list === true }, print)
  },
  drain: async (host, { values }) => {
    const { drain, drainAtShutdown, limitFrom, undoDrain } = await import('../drain.ts')
    const limit = limitFrom(text(values.limit))
    if (values.undo) return undoDrain(host)
    return values['shutting-down'] ? drainAtShutdown(host, limit) : drain(host, limit)
  },
  'attach-disks': async (host, { values }) => {
    const { attachDisks, noticeDisks } = await import('../attach-disks.ts')
    await (values.changed ? noticeDisks(host) : attachDisks(host))
  },
  'save-prompt-cache': async host => {
    const { save } = await import('../prompt-cache.ts')
    await save(host)
  },
  'restore-prompt-cache': async host => {
    const { restore } = await import('../prompt-cache.ts')
    await restore(host)
  },
  'llama-starting': async host => {
    const { llamaStarting } = await import('../llama-unit.ts')
    await llamaStarting(host)
  },
  'llama-ended': async host => {
    const { llamaEnded } = await import('../llama-unit.ts')
    await llamaEnded(host)
  },
  watchdog: async host => {
    const { watchdog } = await import('../watchdog.ts')
    await watchdog(host)
  },
  'write-metrics': async host => {
    const { writeMetrics } = await import('../write-metrics.ts')
    await writeMetrics(host)
    const { publishLoad } = await import('../publish-load.ts')
    await publishLoad(host)
  },
  'update-readiness': async (host, { values }) => {
    const { updateReadiness } = await import('../readiness.ts')
    await updateReadiness(host, values['shutting-down'] ? 'stopping' : 'running')
  },
  'smoke-test': async (host, { values }) => {
    const { runSmokeTest } = await import('./smoke-test.ts')
    const endpoint = text(values.endpoint)
    await runSmokeTest(host, { endpoint, ca: fileOf('ca', values), keyFile: fileOf('key-file', values) })
  },
  clients: async (host, { argument }) => {
    const { clientsText } = await import('./clients.ts')
    print(clientsText(host, argument))
  },
  models: async (host, { values }) => {
    const { modelsList } = await import('./models.ts')
    print(modelsList(host, text(values.memory)))
  },
  plan: async (host, { values }) => {
    const { checked, planned, table } = await import('./plan.ts')
    const { memory, cpus, model, context, users, bandwidth } = values
    const wanted = {
      memory: text(memory),
      cpus: text(cpus),
      model: text(model),
      context: text(context),
      users: text(users),
      beside: text(values.beside),
      bandwidth: text(bandwidth),
    }
    if (values.table) print(table())
    else if (values.check) print(await checked(host))
    else print(await planned(host, wanted, values.json === true))
  },
  about: async (host, { values }) => {
    const { about, notices } = await import('./about.ts')
    print(values.notices ? notices(host) : about(host, values.json === true))
  },
  help: async () => {
    const { variablesHelp } = await import('../../lib/render/text/tables.ts')
    print(`${overview()}\nContext variables:\n\n${variablesHelp()}\n`)
  },
}

/** Runs a command on this machine, or on the folder given with `--root`. */
export async function run(line: HandlerInput): Promise<unknown> {
  const { name, values } = line
  const command: Command = commands[name]
  const options: HostOptions = {
    env: await contextOf(values),
    root: text(values.root),
    dryRun: values['dry-run'] === true,
    ...(command.isStage && { log: paths.log }),
  }
  return handlers[name](openHost(options), line)
}

/** The context variables: from the file given with `--context-file`, else from the environment. */
async function contextOf(values: OptionValues): Promise<HostOptions['env']> {
  const file = fileOf('context-file', values)
  if (file === undefined) return process.env
  const { parseEnvironment } = await import('../environment.ts')
  return parseEnvironment(file.text)
}

/** The log of a live stage, for the error that ended it. */
export const openStageLog = (path: string) =>
  openLog(() => new Date(), process.getuid?.() === 0 ? path : undefined)
