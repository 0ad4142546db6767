/** What the implementations of all commands share: what they are given, and how they read it. */
import type { StageName } from '../../../lib/appliance/stages.ts'
import type { Host } from '../../../lib/system/host.ts'
import { inputFile } from '../../../lib/system/input-files.ts'
import type { OptionValues } from '../command-line.ts'
import type { CommandName } from '../commands.ts'

export type HandlerInput = { name: CommandName; values: OptionValues; argument?: string | undefined }

/** Resolves with false for exit code 1 without an error. */
export type CommandHandler = (host: Host, run: HandlerInput) => Promise<unknown>

/** A subject's commands. */
export type Handlers = Partial<Record<CommandName, CommandHandler>>

export const text = (value: OptionValues[string]) => (typeof value === 'string' ? value : undefined)

/** The file given with an option, if any. */
export const fileOf = (option: string, { [option]: path }: OptionValues) =>
  typeof path === 'string' ? inputFile(option, path) : undefined

/** Runs an action that changes files or services while no other does. */
export async function exclusively(host: Host, act: (host: Host) => Promise<unknown>): Promise<void> {
  const { oneAtATime } = await import('../../../lib/steps/one-at-a-time.ts')
  await oneAtATime(host, () => act(host))
}

/** Runs a stage, and records its result for `status`. */
export async function recordedStage(host: Host, name: StageName, act: () => Promise<unknown>): Promise<void> {
  const { recorded } = await import('../../../lib/steps/stage-runs.ts')
  await recorded(host, name, act)
}
