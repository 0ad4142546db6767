/** All nginx files: for the edge proxy and the admission proxy behind it. */
import type { Context } from '../../appliance/context/context.ts'
import { passwordName } from '../../appliance/context/values.ts'
import { cacheSharingOf } from '../../appliance/nginx/cache-sharing.ts'
import { answerTimeout } from '../../appliance/nginx/limits.ts'
import { hasHttp2Directive } from '../../appliance/nginx/version.ts'
import { largestBody } from '../../appliance/requests/size.ts'
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { nginxDropIn } from '../units/nginx.ts'
import { admissionConfiguration, admissionUnit } from './admission.ts'
import { connectionLimit } from './connection-limit.ts'
import { edgeConfiguration } from './edge.ts'
import { admissionProgram, edgeProgram } from './program.ts'
import type { Site } from './site.ts'

type SiteFacts = {
  context: Pick<Context, 'keys' | 'sharedCache' | 'logFormat' | 'metricsKey'>
  password: { password: string }
  capacity: Capacity
  /** The names by which requests may refer to the model. */
  models: string[]
  machine: { hasIpv6: boolean }
  /** The output of `nginx -v`. */
  nginxVersion: string
}

/** Derives the edge proxy's configuration from these facts. */
export const siteFor = ({ context, password, capacity, models, machine, nginxVersion }: SiteFacts): Site => ({
  keys: [{ name: passwordName, key: password.password }, ...context.keys],
  cacheSharing: cacheSharingOf(context),
  logFormat: context.logFormat,
  metricsKey: context.metricsKey,
  hasIpv6: machine.hasIpv6,
  hasHttp2Directive: hasHttp2Directive(nginxVersion),
  settings: {
    models,
    contextSize: capacity.contextSize,
    bodyLimit: largestBody(capacity),
    answerTimeout: answerTimeout(capacity.contextSize),
    vocabulary: capacity.model.geometry.vocabulary,
    readsImages: false,
    slots: capacity.slots,
  },
})

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
