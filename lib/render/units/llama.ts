/** llama-server's settings: its environment file, and the unit that runs it. */

import type { Sampling, TemplateName } from '../../appliance/models/catalogue.ts'
import { paths, templatePath, users } from '../../appliance/paths.ts'
import { stackLimit } from '../../appliance/requests/size.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { checkpointsOf, elementTypes, MiB } from '../../appliance/sizing/memory.ts'
import { commonSettings, environmentFile } from './llama-settings.ts'
import { sandbox } from './sandbox.ts'

/** The settings of chat's llama-server. */
export const llamaSettings = (capacity: Capacity): Record<string, string> => ({
  ...commonSettings(capacity, paths.socket),
  LLAMA_ARG_CACHE_TYPE_K: elementTypes[capacity.kvType].keys,
  LLAMA_ARG_CACHE_TYPE_V: elementTypes[capacity.kvType].values,
  // Prompt cache in RAM, in MiB; 0 disables it.
  LLAMA_ARG_CACHE_RAM: String(Math.floor(capacity.memory.promptCache / MiB)),
  // By default each request moves idle slots into that cache, and what does not fit is lost. Here every slot
  // has its own share of the pool, so its content can stay until another conversation takes the slot.
  LLAMA_ARG_CACHE_IDLE_SLOTS: '0',
  LLAMA_ARG_CTX_CHECKPOINTS: String(checkpointsOf(capacity.model.geometry)),
  // Seconds between comments that keep streams alive during prompt processing: below every proxy's and
  // client's timeout.
  LLAMA_ARG_SSE_PING_INTERVAL: '15',
  LLAMA_ARG_ENDPOINT_METRICS: '1',
  ...(capacity.model.template === undefined ? {} : ownTemplate(capacity.model.template)),
  ...thinkingSettings(capacity),
  ...samplingSettings(samplingOf(capacity)),
})

/** What ends a thought whose budget is spent, so that the model goes on to its answer. */
const budgetSpent = '... The budget for thinking is spent. I answer with what I know now.'

/** A request may still ask for the opposite, or for a budget of its own. */
function thinkingSettings({ model, thinking }: Capacity): Record<string, string> {
  if (thinking === undefined) return {}
  if (thinking !== 'off')
    return { LLAMA_ARG_THINK_BUDGET: String(thinking), LLAMA_ARG_THINK_BUDGET_MESSAGE: budgetSpent }
  return model.thinking === 'always' ? { LLAMA_ARG_REASONING_EFFORT: 'low' } : { LLAMA_ARG_REASONING: 'off' }
}

const samplingOf = ({ model, thinking }: Capacity): Sampling =>
  (thinking === 'off' ? model.samplingWithoutThinking : undefined) ?? model.sampling ?? {}

/** Default sampling as recommended by the model's publisher; anything not stated is left to llama-server. */
function samplingSettings({ temperature, topP, topK, minP, repetitionPenalty, presencePenalty }: Sampling) {
  const settings = {
    LLAMA_ARG_TEMPERATURE: temperature,
    LLAMA_ARG_TOP_P: topP,
    LLAMA_ARG_TOP_K: topK,
    LLAMA_ARG_MIN_P: minP,
    LLAMA_ARG_REPEAT_PENALTY: repetitionPenalty,
    LLAMA_ARG_PRESENCE_PENALTY: presencePenalty,
  }
  const stated = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(stated.map(([name, value]) => [name, String(value)]))
}

const ownTemplate = (name: TemplateName) => ({
  LLAMA_ARG_CHAT_TEMPLATE_FILE: templatePath(name),
  // Devstral's itself continues a partial answer; llama-server would insert an empty thought before it.
  ...(name === 'devstral' ? { LLAMA_ARG_PREFILL_ASSISTANT: '0' } : {}),
})

/** Whether prompts may reuse what earlier ones have cached. */
export type PromptReuse = { reusesPrompts: boolean }

export const llamaEnvironment = (capacity: Capacity, { reusesPrompts }: PromptReuse) =>
  environmentFile(paths.llamaEnvironment, {
    ...llamaSettings(capacity),
    ...(reusesPrompts ? {} : { LLAMA_ARG_CACHE_PROMPT: '0' }),
  })

/**
 * Limits the unit's memory to the plan (systemd.resource-control(5)): if the plan is wrong, the OOM killer
 * ends llama-server, which is restarted, and not sshd or nginx. No MemoryHigh, which would throttle it
 * instead.
 */
export const memoryDropIn = (capacity: Capacity) => ({
  path: paths.memoryDropIn,
  mode: 0o644,
  text: `# Written by slm-copilot, from ${paths.plan}.
[Service]
MemoryMax=${capacity.memoryLimit}
MemorySwapMax=0
# Stack of every thread: the tokenizer recurses for each character of a run, and with the usual 8 MB it crashes at
# 25,000 equal characters. This is enough for the largest request that consists of one run. Not "infinity": glibc then
# gives threads 2 MB. Only the pages that a thread touches take memory.
LimitSTACK=${stackLimit(capacity)}
`,
})

/** The folder for the persisted prompt cache, which llama-server takes only as an argument, not as a variable. */
const promptCacheFolder = `
# For its user alone: these files hold conversations, and its group is nginx's.
CacheDirectory=${paths.promptCacheFolder.replace('/var/cache/', '')}
CacheDirectoryMode=0700`

/**
 * llama-server's unit. Sandbox: no network, no devices, only the folders of its socket and prompt cache are
 * writable.
 */
export const llamaUnit = ({ persistsPromptCache }: { persistsPromptCache: boolean }) => ({
  path: paths.unit,
  mode: 0o644,
  text: `[Unit]
Description=SLM-Copilot: llama-server on ${paths.socket}
Documentation=file:${paths.report}
ConditionPathExists=${paths.llamaEnvironment}
After=local-fs.target
# However often it ends, it is restarted; a model that never loads is given up by ExecStopPost= below.
StartLimitIntervalSec=0

[Service]
Type=exec
# The growing delay after crashes (RestartSteps= needs systemd 254), and the reason that clients are given. It runs
# outside the sandbox, and llama-server starts even if it fails.
ExecStartPre=-+${paths.executable} llama-starting
ExecStart=${paths.llamaServer}${persistsPromptCache ? ` --slot-save-path ${paths.promptCacheFolder}` : ''}
EnvironmentFile=${paths.llamaEnvironment}
WorkingDirectory=/
User=${users.llama}
# The group of nginx's workers, which alone may connect.
Group=${users.web}
UMask=0007
# Removed at each stop: llama-server does not replace the socket of a dead predecessor.
RuntimeDirectory=${paths.socketFolder.replace('/run/', '')}
RuntimeDirectoryMode=0750${persistsPromptCache ? promptCacheFolder : ''}
ExecStopPost=-+${paths.executable} llama-ended
# Always: on SIGTERM llama-server exits successfully. After \`systemctl stop\`, systemd does not restart it.
Restart=always
RestartSec=1
# At once, instead of SIGTERM: v0.5.0 handles that in the interrupted thread, and deadlocks if that thread holds the lock
# of its queue, as it often does while generating. Streams are cut off either way, and there is nothing else to lose: the
# prompt cache is saved before.
KillSignal=SIGKILL
SuccessExitStatus=SIGKILL
# For ExecStopPost=, which takes long while the VM has hardly any CPU time: without it, clients do not get the reason.
TimeoutStopSec=120
OOMScoreAdjust=-500

# Nothing in here may reach the network: the model cannot phone home.
${sandbox}

[Install]
WantedBy=multi-user.target
`,
})
