/** The unit that persists llama-server's prompt cache. If it fails, llama-server is not affected. */
import { paths, units } from '../../appliance/paths.ts'
import { written } from '../written.ts'
import { hardening } from './sandbox.ts'

/** The unit, and the link that starts it along with llama-server; if disabled, both and all saved files are removed. */
export const promptCacheUnit = (persistsPromptCache: boolean) =>
  persistsPromptCache
    ? [
        { path: paths.promptCacheUnit, mode: 0o644, text: unit },
        { path: paths.promptCacheWanted, link: paths.promptCacheUnit },
      ]
    : [paths.promptCacheWanted, paths.promptCacheUnit, paths.promptCacheIndex, paths.promptCacheFolder].map(
        path => ({
          path,
          absent: true as const,
        }),
      )

const unit = `${written}
[Unit]
Description=SLM-Copilot: the prompt cache, on disk while llama-server is stopped
# Started after llama-server and stopped before it; stopped and restarted together with it.
After=${units.llama}
PartOf=${units.llama}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${paths.executable} restore-prompt-cache
ExecStop=${paths.executable} save-prompt-cache
# It waits for the model to load, however long that takes.
TimeoutStartSec=infinity
# Prompts that are not saved by then are recomputed after the restart.
TimeoutStopSec=120
# To read llama-server's environment, and files that only its user may read.
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_OVERRIDE
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
ProtectSystem=strict
ReadWritePaths=${paths.promptCacheFolder} ${paths.state} /var/log/one-appliance
UMask=0077
${hardening}
`
