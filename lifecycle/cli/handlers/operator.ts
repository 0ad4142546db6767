/** Implements the commands that tell an operator something. */
import { print } from '../../../lib/system/plain-text.ts'
import { overview } from '../usage.ts'
import { fileOf, type Handlers, text } from './handler.ts'
export const operatorHandlers = {
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
  usage: async (host, { values }) => {
    const { requestUsage } = await import('../request-usage.ts')
    print(await requestUsage(host, text(values.since), values.json === true))
  },
  verify: async host => {
    const { verify } = await import('../verify.ts')
    return verify(host, print)
  },
  'support-bundle': async (host, { values }) => {
    const { supportBundle } = await import('../support-bundle.ts')
    await supportBundle(host, { output: text(values.output), onlyList: values.list === true }, print)
  },
  'smoke-test': async (host, { values }) => {
    const { runSmokeTest } = await import('../smoke-test.ts')
    const endpoint = text(values.endpoint)
    await runSmokeTest(host, { endpoint, ca: fileOf('ca', values), keyFile: fileOf('key-file', values) })
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
  about: async (host, { values }) => {
    const { about, notices } = await import('../about.ts')
    print(values.notices ? notices(host) : about(host, values.json === true))
  },
  help: async () => {
    const { variablesHelp } = await import('../../../lib/render/text/tables.ts')
    print(`${overview()}\nContext variables:\n\n${variablesHelp()}\n`)
  },
} satisfies Handlers
