/** The kinds of values that the variables of `make image` take. */
import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import * as z from 'zod'
import { releaseSchema } from '../../../lib/appliance/models/release.ts'
import { publicKeyIn } from '../../../lib/appliance/upgrade/public-key.ts'
import { openBundle } from '../bundle/contents.ts'

/** `16G` or `16384M`, in MB. */
export const size = z
  .string()
  .regex(/^[1-9]\d{0,6}[MG]$/, 'takes a number with M or G, such as 16G')
  .transform(text => Number.parseInt(text, 10) * (text.endsWith('G') ? 1024 : 1))

export const file = z
  .string()
  .transform(path => resolve(path))
  .refine(existsSync, 'no such file')

/** qcow2, by its first bytes (QEMU, docs/interop/qcow2.rst). */
export const disk = file.refine(
  path =>
    !existsSync(path) ||
    (statSync(path).isFile() && firstBytes(path, 4).equals(Buffer.from('QFI\xfb', 'latin1'))),
  'not a qcow2 disk; `qemu-img convert -O qcow2` makes one',
)

function firstBytes(path: string, count: number): Buffer {
  const descriptor = openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(count)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0))
  } finally {
    closeSync(descriptor)
  }
}

export const releaseFile = file.transform((path, { addIssue }) => {
  try {
    return releaseSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch (error) {
    const message = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    addIssue(`not a release file: ${message}`)
    return z.NEVER
  }
})

/** As minisign writes it: 158 bytes in base64, where a public key has 42. */
export const secretKey = file.refine(
  path => !existsSync(path) || /^RW[A-Za-z0-9+/]{200,}=*$/m.test(readFileSync(path, 'utf8')),
  'holds no secret key, as minisign -G writes it',
)

export const publicKey = file.transform((path, { addIssue }) => {
  const key = publicKeyIn(readFileSync(path, 'utf8'))
  if (key !== undefined) return key
  addIssue('holds no public key, as minisign -G writes it')
  return z.NEVER
})

export const bundle = file.transform((path, { addIssue }) => {
  try {
    return openBundle(path)
  } catch (error) {
    addIssue(`not a bundle: ${(error as Error).message}`)
    return z.NEVER
  }
})
