/** The unit that saves the prompt cache when llama-server stops and restores it afterwards. It can fail without harm to it. */
import { paths, units } from '../../appliance/paths.ts'
import { hardening } from './sandbox.ts'

/** The unit, and the link by which it is started with llama-server's; or neither, and no persisted prompt cache either. */
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

const unit = `# Written by slm-copilot.
[Unit]
Description=SLM-Copilot: the prompt cache, on disk while llama-server is stopped
# Started after it, so stopped before it; and stopped or restarted whenever it is.
After=${units.llama}
PartOf=${units.llama}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${paths.executable} restore-prompt-cache
ExecStop=${paths.executable} save-prompt-cache
# The model is loaded first, however long that takes.
TimeoutStartSec=infinity
# What is not written and proven by then is computed again.
TimeoutStopSec=120
# To read what llama-server was started with, and files that are its user's alone.
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_OVERRIDE
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
ProtectSystem=strict
ReadWritePaths=${paths.promptCacheFolder} ${paths.state} /var/log/one-appliance
UMask=0077
${hardening}
`
