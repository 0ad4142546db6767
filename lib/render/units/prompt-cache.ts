/** The unit that keeps llama-server's prompts over a stop. It can fail without harm to llama-server's own. */
import { paths, units } from '../../appliance/paths.ts'
import { hardening } from './sandbox.ts'

/** The unit and the link by which llama-server's start starts it; or neither, and no files of prompts either. */
export const promptCacheUnit = (keepsPrompts: boolean) =>
  keepsPrompts
    ? [
        { path: paths.promptCacheUnit, mode: 0o644, text: unit },
        { path: paths.promptCacheWanted, link: paths.promptCacheUnit },
      ]
    : [paths.promptCacheWanted, paths.promptCacheUnit, paths.savedPrompts, paths.promptCacheFolder].map(
        path => ({
          path,
          absent: true as const,
        }),
      )

const unit = `# Written by slm-copilot.
[Unit]
Description=SLM-Copilot: what llama-server has computed, kept while it is stopped
# Started after it, so stopped before it; and stopped or restarted whenever it is.
After=${units.llama}
PartOf=${units.llama}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${paths.executable} restore-prompts
ExecStop=${paths.executable} save-prompts
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
