/** The services beside chat: for each an environment file, a memory limit, and the unit that runs its llama-server. */
import { type ModelService, modelPath, modelServices, paths, users } from '../../appliance/paths.ts'
import { type CompanionKind, companionKinds } from '../../appliance/requests/services.ts'
import type { Companion, CompanionCapacity } from '../../appliance/sizing/companions.ts'
import { MiB } from '../../appliance/sizing/memory.ts'
import { allocator } from './llama.ts'
import { sandbox } from './sandbox.ts'

/** What each kind adds to the settings that all have in common. */
const kindSettings: Record<CompanionKind, (capacity: CompanionCapacity) => Record<string, string>> = {
  completion: ({ memory }) => ({
    LLAMA_ARG_CACHE_RAM: String(Math.floor(memory.promptCache / MiB)),
    LLAMA_ARG_CACHE_IDLE_SLOTS: '1',
    // The likeliest tokens: a completion that varies is of no use.
    LLAMA_ARG_TEMPERATURE: '0',
  }),
  embeddings: ({ model }) => ({
    LLAMA_ARG_EMBEDDINGS: '1',
    LLAMA_ARG_POOLING: model.pooling ?? 'mean',
    ...withoutCache,
  }),
  reranking: () => ({ LLAMA_ARG_RERANKING: '1', ...withoutCache }),
}

/** Reusing what another text has in common would save little, show tenants each other's texts, and change the vectors. */
const withoutCache = { LLAMA_ARG_CACHE_RAM: '0', LLAMA_ARG_CACHE_PROMPT: '0' }

/** llama-server's settings as its environment variables. */
export const companionSettings = (capacity: CompanionCapacity): Record<string, string> => ({
  LLAMA_ARG_MODEL: modelPath(capacity.model.name),
  LLAMA_ARG_ALIAS: capacity.model.name,
  LLAMA_ARG_HOST: modelServices[capacity.model.kind].socket,
  LLAMA_ARG_N_PARALLEL: String(capacity.slots),
  LLAMA_ARG_KV_UNIFIED: '1',
  LLAMA_ARG_KV_UNIFIED_PER_SLOT: String(capacity.contextSize),
  LLAMA_ARG_CTX_SIZE: String(capacity.slots * capacity.contextSize),
  LLAMA_ARG_THREADS: String(capacity.threads),
  LLAMA_ARG_BATCH: String(capacity.batchSize),
  LLAMA_ARG_UBATCH: String(capacity.batchSize),
  LLAMA_ARG_FLASH_ATTN: 'on',
  LLAMA_ARG_FIT: 'off',
  LLAMA_ARG_TIMEOUT: '3600',
  LLAMA_ARG_THREADS_HTTP: '1',
  LLAMA_ARG_LOG_COLORS: 'off',
  LLAMA_ARG_OFFLINE: '1',
  LLAMA_ARG_UI: '0',
  LLAMA_ARG_ENDPOINT_SLOTS: '0',
  ...kindSettings[capacity.model.kind](capacity),
})

const settingsFile = ({ environment }: ModelService, capacity: CompanionCapacity) => ({
  path: environment,
  mode: 0o640,
  text: Object.entries({ ...companionSettings(capacity), ...allocator })
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
})

const memoryFile = ({ memoryDropIn }: ModelService, { memoryLimit }: CompanionCapacity) => ({
  path: memoryDropIn,
  mode: 0o644,
  text: `# Written by slm-copilot, from ${paths.plan}.
[Service]
MemoryMax=${memoryLimit}
MemorySwapMax=0
`,
})

type WrittenFile = { path: string; mode: number; text: string }
type AbsentFile = { path: string; absent: true }

/** The files that depend on the plan. A service that is not planned, or whose model is missing, has none. */
export const companionFiles = (companions: Companion[]) =>
  companionKinds.flatMap((kind): (WrittenFile | AbsentFile)[] => {
    const service = modelServices[kind]
    const found = companions.find(({ capacity, isInstalled }) => capacity.model.kind === kind && isInstalled)
    return found === undefined
      ? [service.environment, service.memoryDropIn].map(path => ({ path, absent: true as const }))
      : [settingsFile(service, found.capacity), memoryFile(service, found.capacity)]
  })

/**
 * Shares of CPU time while there is not enough for all (cpu.weight; chat has 100). Somebody who types waits for a
 * completion, but no longer than a second; nobody waits for an index (`make bench BENCH=completion`).
 */
const cpuWeights: Record<CompanionKind, string> = {
  completion: '1000',
  embeddings: 'idle',
  reranking: '1000',
}

const descriptions: Record<CompanionKind, string> = {
  completion: 'completion while one types',
  embeddings: 'embeddings, for search over code',
  reranking: 'reranking of search results',
}

/** A unit for each kind: it starts only where the plan has such a service. */
export const companionUnits = () => companionKinds.map(kind => unitFile(modelServices[kind], kind))

const unitFile = (
  { unitFile: path, environment, socket, socketFolder }: ModelService,
  kind: CompanionKind,
) => ({
  path,
  mode: 0o644,
  text: `# Written by slm-copilot.
[Unit]
Description=SLM-Copilot: ${descriptions[kind]}, by llama-server on ${socket}
Documentation=file:${paths.report}
ConditionPathExists=${environment}
After=local-fs.target
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${paths.llamaServer}
EnvironmentFile=${environment}
WorkingDirectory=/
User=${users.llama}
# The group of nginx's workers, which alone may connect.
Group=${users.web}
UMask=0007
# Removed at each stop: llama-server does not replace the socket of a dead predecessor.
RuntimeDirectory=${socketFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750
Restart=always
RestartSec=1
# Up to a minute (systemd 254): a model that never loads must not take chat's CPU time.
RestartSteps=6
RestartMaxDelaySec=60
# On SIGTERM, v0.5.0 may deadlock; there is nothing to lose.
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
CPUWeight=${cpuWeights[kind]}
# Before chat, if memory runs out.
OOMScoreAdjust=200

${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
