/** What the appliance publishes at OneGate, OpenNebula's API for VMs: attributes of the VM, next to READY. */
import * as z from 'zod'
import { backOff } from './back-off.ts'
import { attributeNames, drainingName, loadNames } from './fleet/attributes.ts'
import type { PublishedLoad } from './fleet/load.ts'
import { type FleetServices, noServices, servicesText } from './fleet/services.ts'
import { endpointUrl } from './names.ts'
import type { Capacity } from './sizing/capacity.ts'

/** All attributes but READY: what describes the appliance, its load, and that it is draining. */
export const publishedNames = [
  ...Object.values(attributeNames),
  ...Object.values(loadNames),
  drainingName,
] as const

const attributesSchema = z.partialRecord(z.enum(publishedNames), z.string())

export type Attributes = z.infer<typeof attributesSchema>

/** The state of what is published: configure clears it, and so does each boot. */
export const publicationSchema = z.strictObject({
  /** What bootstrap published; absent until it has. */
  attributes: attributesSchema.optional(),
  /** What OneGate shows of them; absent if that is unknown, since the last update failed. */
  shown: z.enum(['all', 'draining', 'nothing']).optional(),
  /** Why the last update failed, so that it is logged once. */
  problem: z.string().optional(),
  /** Failed updates in a row, and when to try again: seconds since boot. */
  failures: z.int().optional(),
  retryAt: z.number().optional(),
})

export type Publication = z.infer<typeof publicationSchema>

export type OneGateService = {
  /** Names and addresses that clients can verify, the preferred one first. */
  endpoints: string[]
  /** Undefined on a router, which serves no model. */
  capacity: Capacity | undefined
  /** The services beside chat, and their models. */
  services: FleetServices
  caFingerprint: string
  /** PEM of the certificate to trust; empty if its issuer is a public CA. */
  ca: string
  version: string
}

/** Describes the appliance while it serves. */
export const attributesOf = ({
  endpoints,
  capacity,
  services,
  caFingerprint,
  ca,
  version,
}: OneGateService): Attributes => ({
  [attributeNames.api]: endpointUrl(endpoints[0] ?? 'localhost'),
  ...(capacity !== undefined && {
    [attributeNames.model]: capacity.model.name,
    [attributeNames.contextSize]: String(capacity.contextSize),
    [attributeNames.slots]: String(capacity.slots),
    [attributeNames.services]: servicesText(services) || noServices,
  }),
  [attributeNames.caFingerprint]: caFingerprint,
  [attributeNames.ca]: Buffer.from(ca).toString('base64'),
  [attributeNames.version]: version,
})

/** While it does not serve: empty, so that one request clears everything. */
const nothing = Object.fromEntries(publishedNames.map(name => [name, ''])) as Attributes

/** An update as OpenNebula's template text: lines `NAME="value"`. */
export const withdrawal = (): string => template({ ...nothing, READY: 'NO' })

/** `isReady`: sets READY too. */
export const publication = (attributes: Attributes, isReady: boolean): string =>
  template({ ...attributes, [drainingName]: '', ...(isReady && { READY: 'YES' }) })

/** Changes the load alone. */
export const loadPublication = ({ attributes }: PublishedLoad): string => template(attributes)

/** While the VM is drained. Its attributes stay: it still answers what it has begun. */
export const drainingPublication = (attributes: Attributes): string =>
  template({ ...attributes, [drainingName]: 'YES', READY: 'NO' })

const template = (attributes: Record<string, string>) =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`)
    .join('\n')

/** Whether the context asks for READY. The framework sets it only at the end of its own run of both stages. */
export const reportsReady = (context: Record<string, string>): boolean => context.REPORT_READY === 'YES'

/** Seconds until another attempt after this many failures in a row: 15, 30 … up to ten minutes. */
export const retryAfter = (failures: number): number => backOff(failures, 15, 600)

/** Where this VM reaches OneGate, and as whom. */
export type OneGateAccess = { endpoint: string; token: string; vmId: string }

/** The URL of a path at OneGate, and the headers by which this VM is known there. The token is secret. */
export const oneGateRequest = ({ endpoint, token, vmId }: OneGateAccess, path: string) => ({
  url: `${endpoint.replace(/\/+$/, '')}${path}`,
  headers: { 'X-ONEGATE-TOKEN': token, 'X-ONEGATE-VMID': vmId },
})

/** From the context; undefined if the VM has no access to OneGate (`TOKEN=YES` in its template). */
export function accessOf(context: Record<string, string>): OneGateAccess | undefined {
  const { ONEGATE_ENDPOINT: endpoint = '', TOKENTXT: token = '', VMID: vmId = '' } = context
  return endpoint === '' || token === '' ? undefined : { endpoint, token, vmId }
}
