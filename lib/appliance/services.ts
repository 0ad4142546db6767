/** The services, what each is run by, and what must happen to it when one of these changes. */
import { paths, units } from './paths.ts'

export type Service = {
  unit: string
  /** Files and links that decide how it runs. */
  inputs: string[]
  /** What makes it take up a change. */
  takesUpBy: 'restart' | 'reload'
}

export const services = {
  llama: {
    unit: units.llama,
    inputs: [paths.unit, paths.llamaEnvironment, paths.llamaCurrent, paths.release],
    takesUpBy: 'restart',
  },
  nginx: {
    unit: units.nginx,
    inputs: [paths.site, paths.currentCertificate],
    takesUpBy: 'reload',
  },
} as const satisfies Record<string, Service>
