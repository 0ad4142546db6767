/** Sentences for clients, status and login banner that say why nothing can be generated now. */
import type { Reply } from './watchdog.ts'

/** `10:00:08 UTC`. */
const clock = (time: Date) => `${time.toISOString().slice(11, 19)} UTC`

/** Without control characters, and short enough for an error message. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300)

/** llama-server exited unexpectedly. `next`: when it starts again. */
export const restartingText = (cause: string, endedAt: Date, next: Date) =>
  printable(`llama-server ${cause} at ${clock(endedAt)}; it will be restarted at ${clock(next)}.`)

/** It has been restarted after that. */
export const loadingAgainText = (cause: string, endedAt: Date) =>
  printable(`llama-server ${cause} at ${clock(endedAt)}; it is loading the model again.`)

/** It never finished loading, and is not started again. */
export const failedText = (cause: string, attempts: number) =>
  printable(
    `The model cannot be loaded: llama-server ${cause}, in the last of ${attempts} attempts. ` +
      'To find the reason, the administrator can run: journalctl -u slm-copilot',
  )

export const stoppedText = (endedAt: Date) => `llama-server was stopped at ${clock(endedAt)}.`

export const notRunningText = (unit: string) => `${unit} is not running.`

/** nginx keeps serving an expired certificate, which clients refuse. */
export const expiredText = (at: Date) =>
  `The certificate expired on ${at.toISOString().slice(0, 10)}. For what to do, the administrator can run: slm-copilot doctor`

/** No model can serve: one is being downloaded, or none fits. */
export const noModelText = (reason: string) => printable(reason)

/** Of a service beside chat, which does not make chat unavailable; null if it answers. */
export const problemOfReply: Record<Reply, string | null> = {
  answer: null,
  loading: 'loading its model',
  silence: 'does not answer',
  nobody: 'does not listen on its socket',
}
