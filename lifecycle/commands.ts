/** The executable's commands: what each does, its options, and what it loads only when it is run. */
import { paths, units } from '../lib/appliance/paths.ts'
import type { Host, HostOptions } from '../lib/system/host.ts'

type Option = { argument?: string; help: string }
type Values = Record<string, string | boolean | undefined>

export type Command = {
  summary: string
  details: string
  options: Record<string, Option>
  /** What one argument beside the options may name; none is taken where this is absent. */
  argument?: string
  /** Stages log to the appliance's log file, and must be root on a live machine. */
  isStage: boolean
  /** Resolves with false where what it found makes the exit code 1. */
  run(values: Values, options: HostOptions, argument?: string): Promise<unknown>
}

const dryRun = { 'dry-run': { help: 'show what would change, change nothing' } }
const root = { root: { argument: 'DIR', help: 'write under DIR, list commands instead of running them' } }
const envFile = { 'env-file': { argument: 'FILE', help: 'take the context from FILE, as lines NAME=value' } }

const text = (value: string | boolean | undefined) => (typeof value === 'string' ? value : undefined)

async function hostFor(options: HostOptions) {
  const { openHost } = await import('../lib/system/host.ts')
  return openHost(options)
}

/** Runs what changes files or services while nothing else of the appliance does. */
async function alone(options: HostOptions, act: (host: Host) => Promise<unknown>): Promise<void> {
  const { oneAtATime } = await import('../lib/steps/one-at-a-time.ts')
  const host = await hostFor(options)
  await oneAtATime(host, () => act(host))
}

export const commands: Record<string, Command> = {
  install: {
    summary: 'bake time: packages, llama-server, model, unit',
    details: 'Run again it downloads nothing and changes nothing.',
    options: {
      release: { argument: 'FILE', help: 'install what FILE names, not the production release' },
      ...envFile,
      ...root,
      ...dryRun,
    },
    isStage: true,
    run: async (values, options) => {
      const { install } = await import('./install.ts')
      await install(await hostFor(options), text(values.release))
    },
  },
  configure: {
    summary: 'every boot: context, plan, files; starts nothing',
    details: `By hand: slm-copilot configure --env-file /run/one-context/one_env
Without the context's variables each takes its default again.`,
    options: { ...envFile, ...root, ...dryRun },
    isStage: true,
    run: async (_, options) => {
      const { configure } = await import('./configure.ts')
      await alone(options, host => configure(host))
    },
  },
  bootstrap: {
    summary: 'every boot: services, smoke test, report',
    details: 'Starts, restarts or reloads just what runs on other files than stand on disk.',
    options: {
      report: { argument: 'FILE', help: `write the report to FILE (${paths.report})` },
      ...envFile,
      ...dryRun,
    },
    isStage: true,
    run: async (values, options) => {
      const { bootstrapAndFetch } = await import('./bootstrap.ts')
      await alone(options, host => bootstrapAndFetch(host, text(values.report) ?? paths.report))
    },
  },
  renew: {
    summary: 'every day, by a timer: the private certificate',
    details: 'Another one where it ends within 30 days; nginx takes it up and cuts nobody.',
    options: { ...dryRun },
    isStage: true,
    run: async (_, options) => {
      const { renew } = await import('./renew.ts')
      await alone(options, renew)
    },
  },
  'fetch-model': {
    summary: 'by a unit: fetch the model that is asked for',
    details: `Until it answers the baked one serves, where that fits. A download goes on
where it was.
By hand --retry alone is of use: after a model that was fetched did not serve.`,
    options: { retry: { help: 'try a model again that failed, in the background' } },
    isStage: true,
    run: async (values, options) => {
      const { fetchModel, retryModel } = await import('./fetch-model.ts')
      const host = await hostFor(options)
      await (values.retry ? retryModel(host) : fetchModel(host))
    },
  },
  status: {
    summary: 'what serves, and what is being fetched, on one screen',
    details: 'Exit code 0 when it serves, 1 when it does not. Run it as root.',
    options: {},
    isStage: false,
    run: async (_, options) => {
      const { status } = await import('./status.ts')
      const { text: screen, serves } = await status(await hostFor(options))
      process.stdout.write(screen)
      return serves
    },
  },
  'keep-prompts': {
    summary: 'before llama-server stops: its prompts to files',
    details: `For ${units.prompts}, which is there with
ONEAPP_COPILOT_KEEP_PROMPTS=YES.`,
    options: {},
    isStage: true,
    run: async (_, options) => {
      const { keep } = await import('./prompts.ts')
      await keep(await hostFor(options))
    },
  },
  'restore-prompts': {
    summary: 'after llama-server started: its prompts from files',
    details: `For ${units.prompts}. The files are gone afterwards,
whether they could be read or not.`,
    options: {},
    isStage: true,
    run: async (_, options) => {
      const { restore } = await import('./prompts.ts')
      await restore(await hostFor(options))
    },
  },
  'smoke-test': {
    summary: 'ask this or a remote appliance what clients will ask',
    details: 'Health, a refusal without key, models, a completion, a stream; TLS verified.',
    options: {
      endpoint: { argument: 'URL', help: 'a remote appliance, e.g. https://copilot.example.com' },
      ca: { argument: 'FILE', help: 'the CA to trust, PEM' },
      'key-file': { argument: 'FILE', help: 'a file that holds the key' },
    },
    isStage: false,
    run: async (values, { env }) => {
      const { runSmokeTest } = await import('./smoke-test.ts')
      const { endpoint, ca, 'key-file': keyFile } = values
      await runSmokeTest(await hostFor({ env }), {
        endpoint: text(endpoint),
        ca: text(ca),
        keyFile: text(keyFile),
      })
    },
  },
  clients: {
    summary: 'what to paste into Cline, opencode and others',
    details: `Endpoint, model, CA, context window, time-outs; for all clients, or one by name.
The key is not printed: it is in the report.`,
    argument: 'NAME',
    options: {},
    isStage: false,
    run: async (_, options, name) => {
      const { clientsText } = await import('./clients.ts')
      process.stdout.write(clientsText(await hostFor(options), name))
    },
  },
  models: {
    summary: 'the models there are, and what of each fits here',
    details: 'Name, what it is good at, size, licence, conversations × tokens by default.',
    options: { memory: { argument: 'SIZE', help: 'for a VM of this memory, e.g. 32G' } },
    isStage: false,
    run: async ({ memory }, options) => {
      const { modelsList } = await import('./models.ts')
      process.stdout.write(modelsList(await hostFor(options), text(memory)))
    },
  },
  plan: {
    summary: 'what fits into a VM, and how fast it may be',
    details: `Without a VM: slm-copilot plan --memory 32G --cpus 16 --context 128k
What is not said is this machine's own. --check: the memory that the
running llama-server has, beside what was planned for it.`,
    options: {
      memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G" },
      cpus: { argument: 'N', help: 'its cores' },
      model: { argument: 'NAME', help: 'a model by its name, or a .gguf file' },
      context: { argument: 'TOKENS', help: 'for each conversation, e.g. 128k; or auto (32768)' },
      users: { argument: 'N', help: 'conversations at once (as many as fit, up to 4)' },
      bandwidth: { argument: 'GB/S', help: 'of the memory: makes the expected speed exact' },
      json: { help: 'bytes and tokens per second, for programs' },
      table: { help: 'sizes for every catalogue model, as Markdown' },
      check: { help: 'on the appliance: planned and measured memory' },
    },
    isStage: false,
    run: async (values, options) => {
      const { checked, planned, table } = await import('./plan.ts')
      const host = await hostFor(options)
      const { memory, cpus, model, context, users, bandwidth, json, check } = values
      const wanted = {
        memory: text(memory),
        cpus: text(cpus),
        model: text(model),
        context: text(context),
        users: text(users),
        bandwidth: text(bandwidth),
      }
      if (values.table) process.stdout.write(table())
      else if (check) process.stdout.write(await checked(host))
      else process.stdout.write(await planned(host, wanted, json === true))
    },
  },
  help: {
    summary: 'what this is, its commands and context variables',
    details: 'The same as --help, and the context variables.',
    options: {},
    isStage: false,
    run: async () => {
      const { variablesHelp } = await import('../lib/render/tables.ts')
      process.stdout.write(`${overview()}\nContext variables:\n\n${variablesHelp()}\n`)
    },
  },
}

/** The commands in a list. */
export const overview = () => `slm-copilot: the lifecycle of the SLM-Copilot appliance

Usage: slm-copilot COMMAND [OPTION...]
       slm-copilot --version | --help

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(15)} ${summary}`)
  .join('\n')}

slm-copilot COMMAND --help tells a command's options. Called by the name
install, configure or bootstrap, it is that command.
`

/** A command's usage and options. */
export const usageOf = (name: string, { summary, details, options, argument: taken }: Command) => {
  const rows = Object.entries({ ...options, help: { help: 'print this' } as Option }).map(
    ([option, { argument, help }]) =>
      `  ${`--${option}${argument === undefined ? '' : ` ${argument}`}`.padEnd(18)} ${help}`,
  )
  return `slm-copilot ${name}: ${summary}\n\n${details}\n\nUsage: slm-copilot ${name} [OPTION...]${taken === undefined ? '' : ` [${taken}]`}\n\n${rows.join('\n')}\n`
}
