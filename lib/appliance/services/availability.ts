/** Sentences that say why nothing can be generated at the moment: for clients, status and login banner. */

/** `10:00:08 UTC`. */
const clock = (time: number) => `${new Date(time).toISOString().slice(11, 19)} UTC`

/** Without control characters, and no longer than an error's message should be. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, 300)

/** llama-server ended by itself. `next`: when it starts again, in milliseconds. */
export const isRestarting = (cause: string, endedAt: number, next: number) =>
  printable(`llama-server ${cause} at ${clock(endedAt)}; it will be restarted at ${clock(next)}.`)

/** It has started again after that. */
export const isLoadingAgain = (cause: string, endedAt: number) =>
  printable(`llama-server ${cause} at ${clock(endedAt)}; it is loading the model again.`)

/** It never got as far as answering, and is not started again. */
export const hasFailed = (cause: string, attempts: number) =>
  printable(
    `The model cannot be loaded: llama-server ${cause}, in the last of ${attempts} attempts. ` +
      'To find the reason, the administrator can run: journalctl -u slm-copilot',
  )

export const isStopped = (endedAt: number) => `llama-server was stopped at ${clock(endedAt)}.`

/** There is no model that could serve: one is being fetched, or none fits. */
export const hasNoModel = (reason: string) => printable(reason)
