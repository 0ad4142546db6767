/** All nginx files: for the edge proxy and the admission proxy behind it. */
import type { Capacity } from '../../appliance/sizing/capacity.ts'
import { routerConfiguration, routerProgram } from '../fleet/haproxy.ts'
import { admissionUnit } from '../units/admission.ts'
import { nginxDropIn } from '../units/nginx.ts'
import { admissionConfiguration } from './admission.ts'
import { connectionLimit } from './connection-limit.ts'
import { edgeConfiguration } from './edge.ts'
import { admissionProgram, edgeProgram } from './program.ts'
import type { Site } from './site.ts'

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
