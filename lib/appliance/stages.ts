/** The last run of each stage: what `slm-copilot status` says about it. */
import * as z from 'zod'

export const stageNames = ['install', 'configure', 'bootstrap'] as const
export type StageName = (typeof stageNames)[number]

const runSchema = z.strictObject({
  startedAt: z.iso.datetime(),
  /** Absent while it runs, and if it was killed. */
  endedAt: z.iso.datetime().optional(),
  /** Why it failed, in a line; absent if it succeeded. */
  problem: z.string().optional(),
})
export type StageRun = z.infer<typeof runSchema>

export const stageRunsSchema = z.partialRecord(z.enum(stageNames), runSchema)

/** The last smoke test of this appliance. */
export const smokeTestSchema = z.strictObject({
  at: z.iso.datetime(),
  depth: z.enum(['full', 'light']),
  /** Why it failed, in a line; absent if it passed. */
  problem: z.string().optional(),
})

/** The first line of a message, short enough for a line of a report. */
export const inShort = (message: string) => (message.split('\n')[0] ?? '').slice(0, 300)

export type StageResult = 'success' | 'failure' | 'running' | 'interrupted'

/** `isAtWork`: whether any stage is running now. */
export function resultOf({ endedAt, problem }: StageRun, isAtWork: boolean): StageResult {
  if (endedAt === undefined) return isAtWork ? 'running' : 'interrupted'
  return problem === undefined ? 'success' : 'failure'
}
