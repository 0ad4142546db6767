/** `slm-copilot support-bundle`: one archive for support, without secrets, listed before it is written. */
import { dirname } from 'node:path'
import { paths } from '../../lib/appliance/paths.ts'
import { maskFor } from '../../lib/render/support/masking.ts'
import { knownSecrets } from '../../lib/steps/support/secrets.ts'
import type { Host } from '../../lib/system/host.ts'
import { plain } from '../../lib/system/plain-text.ts'
import { readContext } from '../environment.ts'
import { bundleContents } from './support-bundle/contents.ts'

export type BundleOptions = { output?: string | undefined; onlyList: boolean }

/** Hands over the list, and where the archive is. */
export async function supportBundle(
  host: Host,
  { output, onlyList }: BundleOptions,
  onText: (text: string) => void,
): Promise<void> {
  const context = readContext(host)
  const mask = maskFor(knownSecrets(host, context))
  const contents = await bundleContents(host, context)
  const files = contents.map(({ name, text }) => ({ name, text: mask(plain(text)) }))
  onText(
    files
      .map(({ name, text }) => `${(Buffer.byteLength(text) / 1000).toFixed(1).padStart(7)} kB  ${name}\n`)
      .join(''),
  )
  if (onlyList) return
  const name = `slm-copilot-support-${host.now().toISOString().slice(0, 19).replaceAll(':', '')}`
  const path = output ?? `/root/${name}.tar.gz`
  await write(host, path, name, files)
  onText(`\n${path}: for root alone, with secrets masked. Look through it before you pass it on.\n`)
}

/** Collected in a folder on a tmpfs, which only root can enter. */
async function write(host: Host, path: string, name: string, files: { name: string; text: string }[]) {
  const folder = paths.supportBundle
  host.files.remove(folder)
  host.files.makeFolder(folder, 0o700)
  try {
    for (const file of files) host.files.replace(`${folder}/${name}/${file.name}`, file.text, 0o600)
    host.files.makeFolder(dirname(path))
    host.files.replace(path, '', 0o600)
    await host.$`tar --create --gzip --file ${host.files.at(path)} --directory ${host.files.at(folder)} ${name}`
  } finally {
    host.files.remove(folder)
  }
}
