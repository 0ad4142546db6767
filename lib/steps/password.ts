/** The password: from the context, else from disk, else generated once. A replacement is announced. */
import type { Context } from '../appliance/context/context.ts'
import type { Replacement } from '../appliance/context/password.ts'
import { key } from '../appliance/context/values.ts'
import { configureCommand, paths } from '../appliance/paths.ts'
import { stateFiles } from '../appliance/state-files.ts'
import type { Host } from '../system/host.ts'
import type { ManagedFile } from '../system/managed-files.ts'
import { readState, stateFile } from '../system/state-files.ts'

/** 32 characters, so that five bits of a random byte choose one uniformly; none that look alike. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
const length = 20

/** A password of 100 random bits. */
export const generatePassword = (random: (bytes: number) => Buffer) =>
  [...random(length)].map(byte => alphabet[byte & 31]).join('')

/** What is on disk: a password, nothing, or what is wrong with the file (without quoting its content). */
export type StoredPassword = { password?: string; problem?: string; replacement?: Replacement | undefined }

/** Reads the password from disk. Throws if its path is a folder. */
export function readPassword(host: Host): StoredPassword {
  const replacement = readState(host, stateFiles.passwordReplacement)
  if (host.files.status(paths.password)?.isFolder)
    throw new Error(`${paths.password} is a folder, not a file with the key. Fix: remove it.`)
  const text = host.files.read(paths.password)
  if (text === undefined)
    return host.files.status(paths.plan) === undefined ? {} : { problem: 'was missing', replacement }
  const password = text.trimEnd()
  if (password === '') return { problem: 'was empty', replacement }
  return key.safeParse(password).success
    ? { password, replacement }
    : { problem: 'did not hold a valid key', replacement }
}

/** Days for which report, log and banner announce that the key was replaced. */
const announceDays = 30

export type Password = { password: string; replacement?: Replacement | undefined }

/** The password to use, and for `announceDays` the replacement to announce. */
export function decidePassword(
  stored: StoredPassword,
  supplied: Context['password'],
  now: Date,
  random: Host['random'],
): Password {
  if (supplied !== undefined) return { password: supplied }
  if (stored.password === undefined) {
    const password = generatePassword(random)
    return stored.problem === undefined
      ? { password }
      : { password, replacement: { at: now.toISOString(), reason: stored.problem } }
  }
  const { password, replacement } = stored
  const isOld = replacement && now.getTime() - Date.parse(replacement.at) > announceDays * 86_400_000
  return isOld ? { password } : { password, replacement }
}

/** Notes about the password for report, log and banner. */
export const passwordNotes = ({ replacement }: Password): string[] =>
  replacement === undefined
    ? []
    : [
        `The key was replaced on ${replacement.at.slice(0, 10)}: ${paths.password} ${replacement.reason}. ` +
          `Clients need the new one, which is in ${paths.report}.`,
      ]

/** The replacement is written before the password, so that a kill in between does not lose its reason. */
export const passwordFiles = ({ password, replacement }: Password): ManagedFile[] => [
  replacement === undefined
    ? { path: paths.passwordReplacement, absent: true }
    : stateFile(stateFiles.passwordReplacement, replacement),
  { path: paths.password, mode: 0o600, text: `${password}\n` },
]

/** The password on disk. Throws if configure has not written it. */
export function passwordInForce(host: Host): string {
  const { password, problem = 'is missing' } = readPassword(host)
  if (password === undefined) throw new Error(`${paths.password} ${problem}: run \`${configureCommand}\`.`)
  return password
}
