/** `slm-copilot status`: what the appliance serves and how, as far as this user may see it. Changes nothing. */
import {
  type ApplianceStatus,
  jsonSchema,
  type SectionName,
  type SectionValue,
  sectionNames,
} from '../../lib/appliance/status/status.ts'
import type { Host } from '../../lib/system/host.ts'
import { checkedService, sections } from './status/sections.ts'

/** The reason why something could not be read, in a sentence. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  const { code, path, syscall, address } = (cause ?? error) as NodeJS.ErrnoException & { address?: string }
  const isRefused = code === 'EACCES' || code === 'EPERM'
  if (code === 'ENOENT' && path !== undefined) return `${path} is missing.`
  if (isRefused && path !== undefined) return `${path}: permission denied; root may read it.`
  const isClosed = syscall === 'connect' && (code === 'ENOENT' || code === 'ECONNREFUSED')
  return isClosed ? `Nothing listens at ${address}.` : message
}

/**
 * A host on which a warning ends the reading of a section, whose value would be a guess. Nothing is printed beside
 * JSON.
 */
const strict = (host: Host): Host => ({
  ...host,
  log: {
    ...host.log,
    info: () => {},
    warn: message => {
      throw new Error(message)
    },
  },
})

export async function status(machine: Host): Promise<ApplianceStatus> {
  const host = strict(machine)
  const unknown: Partial<Record<SectionName, string>> = {}
  const read = async <Name extends SectionName>(name: Name): Promise<SectionValue<Name> | null> => {
    try {
      return await sections[name](host)
    } catch (error) {
      unknown[name] = reasonOf(error)
      return null
    }
  }
  const entries: [SectionName, unknown][] = []
  for (const name of sectionNames) entries.push([name, await read(name)])
  const problem = await problemOf(host)
  return {
    schema: 1,
    at: host.now().toISOString(),
    isServing: problem === null,
    problem,
    ...(Object.fromEntries(entries) as { [Name in SectionName]: SectionValue<Name> | null }),
    unknown,
  }
}

async function problemOf(host: Host): Promise<string | null> {
  try {
    return (await checkedService(host)) ?? null
  } catch (error) {
    return `The service could not be checked: ${reasonOf(error)}`
  }
}

/** The schema of `--json`, as JSON Schema. */
export const statusJsonSchema = (): string => `${JSON.stringify(jsonSchema(), null, 2)}\n`
