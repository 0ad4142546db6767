/** The services, the files that each depends on, and whether changing these takes a restart or a reload. */
import * as z from 'zod'
import { templateNames } from '../models/catalogue.ts'
import { modelServices, paths, templatePath, units } from '../paths.ts'
import type { CompanionKind } from '../requests/services.ts'

const digests = { restart: z.string(), reload: z.string() }

/** Unit → its run that passed the smoke test, and the digests of that run's inputs. */
export const provenSchema = z.record(z.string(), z.strictObject({ invocation: z.string(), ...digests }))
export type Proven = z.infer<typeof provenSchema>

export type Service = {
  unit: string
  /** Files and links that it reads only at start. */
  restartInputs: readonly string[]
  /** Those that it reads again on a reload, which interrupts no stream. */
  reloadInputs: readonly string[]
}

export const services = {
  llama: {
    unit: units.llama,
    restartInputs: [
      paths.unit,
      paths.llamaEnvironment,
      ...templateNames.map(templatePath),
      paths.llamaCurrent,
      paths.release,
    ],
    reloadInputs: [],
  },
  admission: {
    unit: units.admission,
    // After a reload the old worker would run beside the new one, each counting requests on its own.
    restartInputs: [paths.admissionUnit, paths.admissionConfiguration, paths.admissionProgram],
    reloadInputs: [],
  },
  router: {
    unit: units.router,
    restartInputs: [paths.routerUnit, paths.routerConfiguration, paths.routerProgram],
    reloadInputs: [],
  },
  /** Only on a router that has a floating address. */
  floatingIp: {
    unit: units.floatingIp,
    restartInputs: [paths.floatingUnit, paths.floatingConfiguration, paths.floatingCheck],
    reloadInputs: [],
  },
  nginx: {
    unit: units.nginx,
    restartInputs: [paths.nginxDropIn, paths.connectionLimit],
    // The chain as well as the link: when certbot renews, the link stays the same.
    reloadInputs: [
      paths.edgeConfiguration,
      paths.edgeProgram,
      paths.currentCertificate,
      paths.currentChain,
      paths.currentHeaders,
    ],
  },
  clock: {
    unit: units.clock,
    restartInputs: [paths.chronyConfiguration, paths.chronyDropIn],
    reloadInputs: [],
  },
  /** Only if logs are forwarded. */
  syslog: {
    unit: units.syslog,
    restartInputs: [paths.syslogUnit, paths.syslogConfiguration, paths.syslogCa],
    reloadInputs: [],
  },
} as const satisfies Record<string, Service>

/** A model service beside chat. */
export function companionService(kind: CompanionKind): Service {
  const { unit, unitFile, environment, memoryDropIn } = modelServices[kind]
  const restartInputs = [unitFile, environment, memoryDropIn, paths.llamaCurrent, paths.release]
  return { unit, restartInputs, reloadInputs: [] }
}
