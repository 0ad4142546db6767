/** The values from which the edge proxy's configuration and program are rendered. */
import type { Context } from '../../appliance/context/context.ts'
import { type NamedKey, passwordName } from '../../appliance/context/values.ts'
import type { Role } from '../../appliance/fleet/backends.ts'
import { type CacheSharing, cacheSharingOf } from '../../appliance/nginx/cache-sharing.ts'
import { answerTimeout, requestsOfKey, vectorLimits } from '../../appliance/nginx/limits.ts'
import { hasHttp2Directive } from '../../appliance/nginx/version.ts'
import { paths } from '../../appliance/paths.ts'
import type { EdgeCompanion, EdgeSettings } from '../../appliance/requests/edge-settings.ts'
import { completionLength } from '../../appliance/requests/services.ts'
import { largestBody } from '../../appliance/requests/size.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import type { CompanionCapacity } from '../../appliance/sizing/companions.ts'
import type { LogFormat } from '../../appliance/usage/log-format.ts'

export type Site = {
  role: Role
  keys: NamedKey[]
  cacheSharing: CacheSharing
  logFormat: LogFormat
  /** Opens the metrics, and nothing else. */
  metricsKey: string | undefined
  /** By which requests of a fleet's router are recognised; on a router, the key that it sends, and does not accept. */
  fleetKey: string | undefined
  hasIpv6: boolean
  /** Whether nginx has a directive for HTTP/2, instead of a parameter of `listen`. */
  hasHttp2Directive: boolean
  /** Concurrent requests with a body, per key and nginx worker. */
  requestsOfKey: number
  settings: EdgeSettings
}

type SiteFacts = {
  context: Pick<Context, 'keys' | 'sharedCache' | 'logFormat' | 'metricsKey' | 'fleetKey' | 'role'>
  password: { password: string }
  capacity: Capacity
  /** The names by which requests may refer to the model. */
  models: string[]
  /** The services beside chat. */
  companions: CompanionCapacity[]
  machine: { hasIpv6: boolean; memory: number }
  /** The output of `nginx -v`. */
  nginxVersion: string
}

/** Derives the site from these facts. */
export const siteFor = ({
  context,
  password,
  capacity,
  models,
  companions,
  machine,
  nginxVersion,
}: SiteFacts): Site => ({
  role: context.role,
  keys: [{ name: passwordName, key: password.password }, ...context.keys],
  // A router always states whose a request is; the copilots decide.
  cacheSharing: context.role === 'router' ? 'separate' : cacheSharingOf(context),
  logFormat: context.logFormat,
  metricsKey: context.metricsKey,
  fleetKey: context.fleetKey,
  hasIpv6: machine.hasIpv6,
  hasHttp2Directive: hasHttp2Directive(nginxVersion),
  requestsOfKey: requestsOfKey({ role: context.role, slots: capacity.slots, memory: machine.memory }),
  settings: {
    models,
    contextSize: capacity.contextSize,
    bodyLimit: largestBody(capacity),
    answerTimeout: answerTimeout(capacity.contextSize),
    vocabulary: capacity.model.geometry.vocabulary,
    readsImages: false,
    companions: Object.fromEntries(companions.map(one => [one.model.kind, edgeCompanion(one)])),
    slots: capacity.slots,
    ...(context.role !== 'router' && cacheSharingOf(context) === 'shared' && { hidesCounts: true as const }),
    ...(context.role === 'router' && { fleetModels: paths.fleetModels }),
  },
})

/** Characters of code per token, on average at least. Where there are fewer, llama-server cuts the prompt off itself. */
const charactersPerToken = 3
/** Tokens of the headings in a prompt with further files, and of a tenant's mark. */
const headings = 96

/**
 * llama-server takes three quarters of a batch before a gap and one quarter after it, and what is left of the context for
 * further files (server-common.cpp, format_prompt_infill).
 */
const edgeCompanion = ({ model, contextSize, batchSize }: CompanionCapacity): EdgeCompanion => ({
  model: model.name,
  vocabulary: model.geometry.vocabulary,
  contextSize,
  texts: Math.floor(vectorLimits.numbers / model.geometry.embedding),
  extra: contextSize - batchSize - completionLength.max - headings,
  prefix: (charactersPerToken * 3 * batchSize) / 4,
  suffix: (charactersPerToken * batchSize) / 4,
  infill: model.infill,
})
