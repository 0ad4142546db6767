/** The copilots of a fleet as a router knows them. */
import * as z from 'zod'
import { mostParallel } from '../sizing/limits.ts'
import { fleetServicesSchema } from './services.ts'

/**
 * Whether it is an IP address. A public CA's certificate would prove nothing about one: HAProxy compares only
 * names.
 */
export const isAddress = (host: string): boolean => /^[0-9.]+$|:/.test(host)

/** Seconds between two queries of OneGate: with the few that a run takes, a change is seen within 15. */
export const backendsEvery = 8

const copilotSchema = z.strictObject({
  /** Names it for people and, across restarts and changes, its share of the sessions. */
  name: z.string(),
  host: z.string(),
  port: z.int(),
  /** PEM of the only CA to trust; absent if a public CA has issued its certificate. */
  ca: z.string().optional(),
  /** The DNS name that its certificate must have; absent if that is for an address, and the CA its own. */
  serverName: z.string().optional(),
  model: z.string(),
  contextSize: z.int(),
  slots: z.int().min(1).max(mostParallel),
  /** The services beside chat; absent if that is unknown, as of one that is named by hand. */
  services: fleetServicesSchema.optional(),
  version: z.string(),
  /** When the router learned of it. */
  since: z.iso.datetime(),
})

export type Copilot = z.infer<typeof copilotSchema>

/** Conversations at once, of all together. */
export const slotsOf = (copilots: Pick<Copilot, 'slots'>[]): number =>
  copilots.reduce((sum, { slots }) => sum + slots, 0)

/** Undefined if a VM's values are impossible for a copilot: one such VM must not hide the others. */
export const copilotOf = (described: Copilot): Copilot | undefined => copilotSchema.safeParse(described).data

export const fleetSchema = z.strictObject({
  copilots: z.array(copilotSchema),
  /** Why copilots could not be asked, so that it is logged once: these are then as they were last known. */
  problem: z.string().optional(),
})

export type Fleet = z.infer<typeof fleetSchema>

/** For log and report. */
export const partlyKnownText = (problem: string): string =>
  `The fleet is not fully known: ${problem}. Copilots that could not be asked are kept as they were last known.`
