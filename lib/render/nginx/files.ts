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
import { admissionProgram, type EdgeSettings, edgeProgram } from './program.ts'
import type { Site } from './site.ts'

export type Edge = { site: Site; settings: EdgeSettings }

type EdgeFacts = {
  context: Pick<Context, 'keys' | 'sharedCache'>
  password: { password: string }
  capacity: Capacity
  /** The names by which requests may refer to the model. */
  models: string[]
  machine: { hasIpv6: boolean }
  /** The output of `nginx -v`. */
  nginxVersion: string
}

/** Derives the edge proxy's configuration from these facts. */
export function edgeFor({ context, password, capacity, models, machine, nginxVersion }: EdgeFacts): Edge {
  const { contextSize } = capacity
  const limits = {
    bodyLimit: largestBody(capacity),
    answerTimeout: answerTimeout(contextSize),
  }
  return {
    site: {
      ...limits,
      keys: [{ name: passwordName, key: password.password }, ...context.keys],
      cacheSharing: cacheSharingOf(context),
      hasIpv6: machine.hasIpv6,
      hasHttp2Directive: hasHttp2Directive(nginxVersion),
    },
    settings: {
      ...limits,
      contextSize,
      models,
      vocabulary: capacity.model.geometry.vocabulary,
      readsImages: false,
    },
  }
}

/** In the order of writing: the edge proxy's configuration, which refers to the others, comes last. */
export const nginxFiles = ({ site, settings }: Edge, { slots }: Capacity) => [
  admissionConfiguration({ slots, answerTimeout: site.answerTimeout, cacheSharing: site.cacheSharing }),
  admissionProgram(),
  admissionUnit(),
  connectionLimit(),
  nginxDropIn(),
  edgeProgram(settings),
  edgeConfiguration(site),
]
