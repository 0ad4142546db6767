/** Implements the commands that administrators type. */
import { resolve } from 'node:path'
import { print } from '../../../lib/system/plain-text.ts'
import { overview } from '../usage.ts'
import { UsageError } from '../usage-error.ts'
import { exclusively, fileOf, type Handlers, text } from './handler.ts'

export const administratorHandlers = {
  status: async (host, { values }) => {
    const { status, statusJsonSchema } = await import('../status.ts')
    if (values.schema) {
      print(statusJsonSchema())
      return
    }
    const { statusText } = await import('../../../lib/render/text/status.ts')
    const seen = await status(host)
    print(values.json ? `${JSON.stringify(seen, null, 2)}\n` : statusText(seen))
    return seen.isServing
  },
  doctor: async host => {
    const { doctor } = await import('../doctor.ts')
    return doctor(host, print)
  },
  clients: async (host, { argument }) => {
    const { clientsText } = await import('../clients.ts')
    print(clientsText(host, argument))
  },
  models: async (host, { values }) => {
    const { modelsList } = await import('../models.ts')
    print(modelsList(host, text(values.memory)))
  },
  plan: async (host, { values }) => {
    const { checked, planned, table } = await import('../plan.ts')
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
  usage: async (host, { values }) => {
    const { requestUsage } = await import('../request-usage.ts')
    print(await requestUsage(host, text(values.since), values.json === true))
  },
  verify: async host => {
    const { verify } = await import('../verify.ts')
    return verify(host, print)
  },
  'smoke-test': async (host, { values }) => {
    const { runSmokeTest } = await import('../smoke-test.ts')
    const endpoint = text(values.endpoint)
    await runSmokeTest(host, { endpoint, ca: fileOf('ca', values), keyFile: fileOf('key-file', values) })
  },
  drain: async (host, { values }) => {
    const { drain, drainAtShutdown, limitFrom, undoDrain } = await import('../../drain.ts')
    const limit = limitFrom(text(values.limit))
    if (values.undo) return undoDrain(host)
    return values['shutting-down'] ? drainAtShutdown(host, limit) : drain(host, limit)
  },
  upgrade: async (host, { values, argument }) => {
    const { resume, rollback, upgrade } = await import('../../upgrade.ts')
    const { previewUpgrade } = await import('../../upgrade-source.ts')
    if (values.resume) return resume(host)
    if (values.rollback) return rollback(host)
    if (argument === undefined) throw new UsageError('takes the FILE of a release, or --rollback.')
    const publicKey = fileOf('public-key', values)?.text
    const options = { source: resolve(argument), publicKey, unsigned: values.unsigned === true }
    await (values['dry-run'] ? previewUpgrade(host, options) : upgrade(host, options))
  },
  reconfigure: async host => {
    const { inCurrentContext, reconfigure } = await import('../../current-context.ts')
    await exclusively(host, () => reconfigure(inCurrentContext(host)))
  },
  backends: async (host, { argument }) => {
    const { listBackends, syncBackends } = await import('../../backends.ts')
    if (argument === 'sync') return syncBackends(host)
    if (argument !== undefined) throw new UsageError('takes nothing, or sync.')
    print(await listBackends(host))
  },
  'support-bundle': async (host, { values }) => {
    const { supportBundle } = await import('../support-bundle.ts')
    await supportBundle(host, { output: text(values.output), onlyList: values.list === true }, print)
  },
  about: async (host, { values }) => {
    const { about, notices } = await import('../about.ts')
    print(values.notices ? notices(host) : about(host, values.json === true))
  },
  help: async () => {
    const { variablesHelp } = await import('../../../lib/render/text/tables.ts')
    print(`${overview()}\nContext variables:\n\n${variablesHelp()}\n`)
  },
} satisfies Handlers
