/** The password in force: what is given, else what stands on disk, else made once; that it is another is told. */
import * as z from 'zod'
import type { Context } from '../appliance/context/context.ts'
import { key } from '../appliance/context/values.ts'
import { configureCommand, paths } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'
import type { ManagedFile } from '../system/managed-files.ts'
import { readState, type StateFile, stateFile } from '../system/state-files.ts'

/** 32 characters, so that a random byte's low five bits choose one evenly; none that look alike. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
const length = 20

/** A password of 100 random bits. */
export const generatePassword = (random: (bytes: number) => Buffer) =>
  [...random(length)].map(byte => alphabet[byte & 31]).join('')

/** That a password was made in place of one that could not be used, and why. */
const replacementSchema = z.strictObject({ at: z.iso.datetime(), reason: z.string() })
export type Replacement = z.infer<typeof replacementSchema>

const replacementFile: StateFile<Replacement> = {
  path: paths.passwordReplacement,
  mode: 0o600,
  schema: replacementSchema,
  whenDamaged: { consequence: 'the report no longer says that the key was replaced' },
}

/** What stands on disk: a password, nothing, or what cannot be one, in words that tell none of it. */
export type FoundPassword = { password?: string; problem?: string; replacement?: Replacement | undefined }

/** Reads what stands on disk. Throws where that is no file. */
export function findPassword(host: Host): FoundPassword {
  const replacement = readState(host, replacementFile)
  if (host.files.status(paths.password)?.isFolder)
    throw new Error(`${paths.password} is a folder, not a file with the key. Fix: remove it.`)
  const text = host.files.read(paths.password)
  if (text === undefined)
    return host.files.status(paths.plan) === undefined ? {} : { problem: 'was gone', replacement }
  const password = text.trimEnd()
  if (password === '') return { problem: 'was empty', replacement }
  return key.safeParse(password).success
    ? { password, replacement }
    : { problem: 'held what is no key', replacement }
}

/** Days that report, log and banner tell of a key that was replaced. */
const told = 30

export type Password = { password: string; replacement?: Replacement | undefined }

/** The password to have, and whether it is another than clients know, for a month. */
export function decidePassword(
  found: FoundPassword,
  given: Context['password'],
  now: Date,
  random: Host['random'],
): Password {
  if (given !== undefined) return { password: given }
  if (found.password === undefined) {
    const password = generatePassword(random)
    return found.problem === undefined
      ? { password }
      : { password, replacement: { at: now.toISOString(), reason: found.problem } }
  }
  const { password, replacement } = found
  const isOld = replacement && now.getTime() - Date.parse(replacement.at) > told * 86_400_000
  return isOld ? { password } : { password, replacement }
}

/** What report, log and banner say of it. */
export const passwordNotes = ({ replacement }: Password): string[] =>
  replacement === undefined
    ? []
    : [
        `The key was replaced on ${replacement.at.slice(0, 10)}: ${paths.password} ${replacement.reason}. ` +
          `Clients need the new one, which is in ${paths.report}.`,
      ]

/** The note of a replacement before the password: a kill between them leaves the reason. */
export const passwordFiles = ({ password, replacement }: Password): ManagedFile[] => [
  replacement === undefined
    ? { path: paths.passwordReplacement, absent: true }
    : stateFile(replacementFile, replacement),
  { path: paths.password, mode: 0o600, text: `${password}\n` },
]

/** The password from the one place where it is kept. Throws when configure has not put it there. */
export function passwordInForce(host: Host): string {
  const { password, problem = 'is missing' } = findPassword(host)
  if (password === undefined) throw new Error(`${paths.password} ${problem}: run \`${configureCommand}\`.`)
  return password
}
