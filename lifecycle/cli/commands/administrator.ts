/** The commands that administrators type. */
import { defaultDrainLimit } from '../../../lib/appliance/services/drain.ts'
import { usefulContext } from '../../../lib/appliance/sizing/limits.ts'
import { type Command, dryRun, stage } from './command.ts'

export const administratorCommands = {
  status: {
    summary: 'show what is being served, and how',
    details: `Services, certificate, requests, speed, memory, disks, stages, versions, and
what is pending. Users other than root see what they may. Exit code 0 while
serving, 1 otherwise.`,
    options: {
      json: { help: 'print JSON, in a format that stays compatible' },
      schema: { help: "print the JSON's schema (JSON Schema), with what each field means" },
    },
    worksElsewhere: ({ schema }) => schema === true,
  },
  doctor: {
    summary: 'check the VM and the appliance, and say what to fix',
    details: `Checks CPU, memory, disks, clock, DNS, certificate, files, units and requests.
Changes nothing. Exit code 1 if it finds a problem. Must be run as root.`,
    options: {},
    needsRoot: true,
  },
  clients: {
    summary: 'show what to paste into Cline, opencode and others',
    details: `Endpoint, model, CA, context window and timeouts, for all clients or the named
one. The key is not shown: it is in the report. Must be run as root.`,
    argument: 'NAME',
    options: {},
    needsRoot: true,
  },
  models: {
    summary: 'list the models, and how much of each fits',
    details: 'Shows name, strengths, size, licence, and conversations × tokens by default.',
    options: { memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G (this machine's)" } },
    worksElsewhere: () => true,
  },
  plan: {
    summary: 'show what fits into a VM, and how fast it may be',
    details: `Works without a VM: slm-copilot plan --memory 32G --cpus 16 --context 128k
Options that are omitted default to this machine. --check compares the memory
that the running llama-server uses with the plan.`,
    options: {
      memory: { argument: 'SIZE', help: "the VM's memory, e.g. 32G" },
      cpus: { argument: 'N', help: 'number of cores' },
      model: { argument: 'NAME', help: 'name of a model, or a .gguf file' },
      context: { argument: 'TOKENS', help: `for each conversation, e.g. 128k; or auto (${usefulContext})` },
      users: { argument: 'N', help: 'conversations at once (as many as fit, up to 4)' },
      beside: { argument: 'MODELS', help: 'completion, embedding, reranking models, by commas' },
      bandwidth: { argument: 'GB/S', help: 'memory bandwidth, for a better estimate of the speed' },
      json: { help: 'print JSON, in bytes and tokens per second' },
      table: { help: 'print the sizes of all catalogue models as Markdown' },
      check: { help: 'on the appliance: compare planned and used memory' },
    },
    worksElsewhere: ({ check }) => check !== true,
  },
  usage: {
    summary: 'show requests and answers, by day and key',
    details: `Requests, answers and their time, refusals (429) and failures (5xx) by day and
key, and requests without a valid key, from the request log and its rotated
files, which go back 40 days. Must be run as root.`,
    options: {
      since: { argument: 'WHEN', help: 'a date, e.g. 2026-02-14, or a duration, e.g. 24h or 30d (7d)' },
      json: { help: 'print JSON' },
    },
    needsRoot: true,
  },
  verify: {
    summary: 'check model, llama.cpp and executable for damage',
    details: `Compares their SHA-256 digests with those of the release and of the image's bill
of materials, which takes a minute or two for a model of 14 GB. Changes nothing.
Exit code 1 if a file is damaged or missing. Must be run as root.`,
    options: {},
    needsRoot: true,
  },
  'smoke-test': {
    summary: 'send this or a remote appliance what clients send',
    details: `Checks health, rejection without a key, models, a completion and a stream, and
verifies TLS. Without options it checks this appliance, and must be run as root.`,
    options: {
      endpoint: { argument: 'URL', help: 'remote appliance, e.g. https://copilot.example.com' },
      ca: { argument: 'FILE', isPath: true, help: "PEM file of the CA to trust (the system's CAs)" },
      'key-file': { argument: 'FILE', isPath: true, help: 'file that holds the API key' },
    },
    worksElsewhere: ({ endpoint }) => endpoint !== undefined,
  },
  drain: {
    summary: 'refuse new requests, and let running ones finish',
    details: `New requests get 503; /health and OneGate say that this VM is draining. Ends
once nothing is being answered or, with exit code 1, at the limit; requests that
are still running then go on. The VM stays drained until --undo or a reboot.
When the VM is shut down, a unit drains it first.`,
    options: {
      undo: { help: 'admit requests again' },
      limit: { argument: 'SECONDS', help: `how long to wait (${defaultDrainLimit})` },
      'shutting-down': { help: 'for a unit: only if the whole system is stopping' },
    },
    ...stage,
  },
  upgrade: {
    summary: 'install a signed release in place of this version',
    details: `FILE is the archive of a release, or the folder that it unpacks to. Its
signature and digests are verified first. The old version serves until
everything is prepared, is kept, and takes over again if the new one fails its
smoke test. Password, certificates, models and settings stay. An older release
is refused.`,
    argument: 'FILE',
    options: {
      'public-key': {
        argument: 'FILE',
        isPath: true,
        help: "minisign's public key to trust (the image's)",
      },
      unsigned: { help: 'do not check the signature' },
      rollback: { help: 'go back to the version before the last upgrade' },
      resume: { help: 'for a unit: go back after an interrupted upgrade' },
      ...dryRun,
    },
    ...stage,
  },
  reconfigure: {
    summary: 'run configure and bootstrap with the current context',
    details: `Does what a context change does. A unit runs it when this VM's addresses have
changed, or llama-server has run out of memory.`,
    options: {},
    ...stage,
  },
  backends: {
    summary: 'on a router: list its copilots, or look them up again',
    details: `With sync, asks OneGate, or the copilots in ONEAPP_COPILOT_BACKENDS, and tells
HAProxy of changes; a timer does so every 8 seconds. Without, lists them.`,
    argument: 'sync',
    options: {},
    ...stage,
  },
  'support-bundle': {
    summary: 'collect what support needs, without secrets',
    details: `Status, doctor, versions, plan, context, units, journals, logs, nginx's files,
and facts about the system. Secrets are masked, and requests are left out. Lists
the files, then writes an archive that only root can read. Must be run as root.`,
    options: {
      list: { help: 'only list the files' },
      output: { argument: 'FILE', isPath: true, help: 'where to write it (a .tar.gz in /root)' },
    },
    needsRoot: true,
  },
  about: {
    summary: 'show versions and licences of all components',
    details: `On an appliance, of everything in its software bill of materials; elsewhere, of
the executable alone.`,
    options: {
      json: { help: 'print JSON, Debian packages included' },
      notices: { help: 'print the licence texts' },
    },
    worksElsewhere: () => true,
  },
  help: {
    summary: 'show this overview and the context variables',
    details: 'For the usage of one command: slm-copilot help plan',
    argument: 'COMMAND',
    options: {},
    worksElsewhere: () => true,
  },
} satisfies Record<string, Command>
