/** All nginx files: for the edge proxy and the admission proxy behind it. */
import type { Context } from '../../appliance/context/context.ts'
import { passwordName } from '../../appliance/context/values.ts'
import { cacheSharingOf } from '../../appliance/nginx/cache-sharing.ts'
import { answerTimeout, requestsOfKey, vectorLimits } from '../../appliance/nginx/limits.ts'
import { hasHttp2Directive } from '../../appliance/nginx/version.ts'
import { paths } from '../../appliance/paths.ts'
import type { EdgeCompanion } from '../../appliance/requests/edge-settings.ts'
import { largestBody } from '../../appliance/requests/size.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import type { CompanionCapacity } from '../../appliance/sizing/companions.ts'
import { routerConfiguration, routerProgram } from '../fleet/haproxy.ts'
import { admissionUnit } from '../units/admission.ts'
import { nginxDropIn } from '../units/nginx.ts'
import { admissionConfiguration } from './admission.ts'
import { connectionLimit } from './connection-limit.ts'
import { edgeConfiguration } from './edge.ts'
import { admissionProgram, edgeProgram } from './program.ts'
import type { Site } from './site.ts'

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

/** Derives the edge proxy's configuration from these facts. */
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

/** Characters of a token of code, at least on average: what exceeds that, llama-server cuts off itself. */
const charactersPerToken = 3
/** Tokens of a completion, at most where a prompt fills the context. */
const longestCompletion = 512
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
  extra: contextSize - batchSize - longestCompletion - headings,
  prefix: (charactersPerToken * 3 * batchSize) / 4,
  suffix: (charactersPerToken * batchSize) / 4,
  infill: model.infill,
})

/** The router's files, in place of the admission proxy's. */
export const routerFiles = (site: Site) => [
  routerProgram(),
  routerConfiguration(site.settings.answerTimeout),
  connectionLimit(),
  nginxDropIn(),
  edgeProgram(site.settings),
  edgeConfiguration(site),
]

/** In the order of writing: the edge proxy's configuration, which refers to the others, comes last. */
export const nginxFiles = (site: Site, { slots }: Capacity) => [
  admissionConfiguration({
    slots,
    answerTimeout: site.settings.answerTimeout,
    cacheSharing: site.cacheSharing,
  }),
  admissionProgram(),
  admissionUnit(),
  connectionLimit(),
  nginxDropIn(),
  edgeProgram(site.settings),
  edgeConfiguration(site),
]
