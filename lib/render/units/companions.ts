/** The services beside chat: for each an environment file, a memory limit, and the unit that runs its llama-server. */
import { type ModelService, modelServices, paths, users } from '../../appliance/paths.ts'
import { type CompanionKind, companionKinds } from '../../appliance/requests/services.ts'
import type { Companion, CompanionCapacity } from '../../appliance/sizing/companions.ts'
import { MiB } from '../../appliance/sizing/memory.ts'
import { written } from '../written.ts'
import { commonSettings, environmentFile } from './llama-settings.ts'
import { sandbox } from './sandbox.ts'

/** What each kind adds to the settings that all have in common. */
const kindSettings: Record<CompanionKind, (capacity: CompanionCapacity) => Record<string, string>> = {
  completion: ({ memory }) => ({
    LLAMA_ARG_CACHE_RAM: String(Math.floor(memory.promptCache / MiB)),
    LLAMA_ARG_CACHE_IDLE_SLOTS: '1',
    // The likeliest tokens: completions should not vary.
    LLAMA_ARG_TEMPERATURE: '0',
  }),
  embeddings: ({ model }) => ({
    LLAMA_ARG_EMBEDDINGS: '1',
    LLAMA_ARG_POOLING: model.pooling ?? 'mean',
    ...withoutCache,
  }),
  reranking: () => ({ LLAMA_ARG_RERANKING: '1', ...withoutCache }),
}

/** Reuse of common prefixes would save little, reveal to tenants what others have sent, and change the vectors. */
const withoutCache = { LLAMA_ARG_CACHE_RAM: '0', LLAMA_ARG_CACHE_PROMPT: '0' }

/** The settings of a service's llama-server. */
export const companionSettings = (capacity: CompanionCapacity): Record<string, string> => ({
  ...commonSettings(capacity, modelServices[capacity.model.kind].socket),
  ...kindSettings[capacity.model.kind](capacity),
})

const settingsFile = ({ environment }: ModelService, capacity: CompanionCapacity) =>
  environmentFile(environment, companionSettings(capacity))

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
 * Shares of CPU time while there is not enough for all (cpu.weight; chat has 100). A developer who types waits for a
 * completion for a second at most; an index can wait (`make bench BENCH=completion`).
 */
const cpuWeights: Record<CompanionKind, string> = {
  completion: '1000',
  embeddings: 'idle',
  reranking: '1000',
}

const descriptions: Record<CompanionKind, string> = {
  completion: 'code completion',
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
  text: `${written}
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
# On SIGTERM, v0.5.0 may deadlock; there is nothing to save.
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
CPUWeight=${cpuWeights[kind]}
# Killed before chat if memory runs out.
OOMScoreAdjust=200

${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
