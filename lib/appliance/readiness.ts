/** Whether the appliance is ready, and how the framework's message of the day says so while the VM runs. */
import * as z from 'zod'
import { wrapped } from './text.ts'

export type Readiness =
  | { state: 'ready' }
  /** It serves, but bootstrap has not succeeded since the last configure: with the configuration before that. */
  | { state: 'serving' }
  /** It answers what it has begun. */
  | { state: 'draining'; reason: string }
  | { state: 'unavailable'; reason: string }

/** The framework's text, and what is shown instead of it. */
export const messageSchema = z.strictObject({ framework: z.string(), shown: z.string() })

/** The framework writes this line once bootstrap has succeeded, and this text when a stage has failed. */
const successLine = /^.*All set and ready to serve.*$/m
const failure = /step failed/

const indented = (text: string) => wrapped(text, 76).map(line => ` ${line}\n`)

const unavailableText = (reason: string) =>
  [...indented(`SLM-Copilot is not serving: ${reason}`), ...indented('For more, as root: slm-copilot status')]
    .join('')
    .trimEnd()

const stillServes =
  'SLM-Copilot is still serving, with its last good configuration. For more, as root: slm-copilot status'
const servesSince = `All set and ready to serve. The framework's last step had failed; SLM-Copilot has become ready since.`

/** The message to show in place of the framework's; the framework's own if that is true, or a stage is running. */
export function messageOfTheDay(framework: string, readiness: Readiness): string {
  if (successLine.test(framework))
    return 'reason' in readiness
      ? framework.replace(successLine, () => unavailableText(readiness.reason))
      : framework
  if (!failure.test(framework)) return framework
  if (readiness.state === 'ready') return `\n${indented(servesSince).join('')}\n`
  const addition = 'reason' in readiness ? unavailableText(readiness.reason) : indented(stillServes).join('')
  return `${framework.trimEnd()}\n\n${addition.trimEnd()}\n\n`
}
