/** The services, the files that each runs on, and whether a change of these needs a restart or a reload. */
import * as z from 'zod'
import { paths, units } from '../paths.ts'

const digests = { restart: z.string(), reload: z.string() }

/** Unit → the run of it that passed the smoke test, and the digests of the inputs that it runs on. */
export const provenSchema = z.record(z.string(), z.strictObject({ invocation: z.string(), ...digests }))
export type Proven = z.infer<typeof provenSchema>

export type Service = {
  unit: string
  /** Files and links that it takes up only when it is started. */
  restartInputs: readonly string[]
  /** Those that a reload makes it take up, which cuts nobody's stream. */
  reloadInputs: readonly string[]
}

export const services = {
  llama: {
    unit: units.llama,
    restartInputs: [
      paths.unit,
      paths.llamaEnvironment,
      paths.chatTemplate,
      paths.llamaCurrent,
      paths.release,
    ],
    reloadInputs: [],
  },
  admission: {
    unit: units.admission,
    // A reload would leave an old worker beside the new one, each with counts of its own.
    restartInputs: [paths.admissionUnit, paths.admissionConfiguration, paths.admissionProgram],
    reloadInputs: [],
  },
  nginx: {
    unit: units.nginx,
    restartInputs: [paths.nginxDropIn, paths.connectionLimit],
    // The chain besides the link: certbot renews what stands behind an unchanged one.
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
} as const satisfies Record<string, Service>
