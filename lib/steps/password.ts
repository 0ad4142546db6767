/** The password in force: what is given, else what stands on disk, else made once. */
import { configureCommand, paths } from '../appliance/paths.ts'
import type { Host } from '../system/host.ts'

/** 32 characters, so that a random byte's low five bits choose one evenly; none that look alike. */
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'
const length = 20

/** A password of 100 random bits. */
export const generatePassword = (random: (bytes: number) => Buffer) =>
  [...random(length)].map(byte => alphabet[byte & 31]).join('')

/** The password on disk, if one stands there. */
export const readPassword = (host: Host): string | undefined =>
  host.files.read(paths.password)?.trimEnd() || undefined

/** The password from the one place where it is kept. Throws when configure has not put it there. */
export function passwordInForce(host: Host): string {
  const password = readPassword(host)
  if (password === undefined)
    throw new Error(`${paths.password} is missing: run \`${configureCommand}\` first.`)
  return password
}

export const passwordFile = (password: string) => ({
  path: paths.password,
  mode: 0o600,
  text: `${password}\n`,
})
