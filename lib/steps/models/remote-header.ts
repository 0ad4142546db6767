/** Reads the header of a model that is not here yet, without downloading the rest. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Description } from '../../appliance/models/description.ts'
import { fetchStart } from '../../system/file-start.ts'
import type { Host } from '../../system/host.ts'
import { readModelFile, readModelStart, UnusableModelError } from './header.ts'

/** Bytes: enough for the vocabularies of today's models; and at most what the header's reader takes. */
const startLengths = [16 * 2 ** 20, 48 * 2 ** 20]

/**
 * Describes the model at a URL, which may be that of a file on a disk. Throws an UnusableModelError if it is none that
 * can be planned, another error if it cannot be reached.
 */
export async function readModelAt(host: Pick<Host, 'query'>, url: string): Promise<Description> {
  if (new URL(url).protocol === 'file:') return readModelOnDisk(fileURLToPath(url))
  const folder = mkdtempSync(join(tmpdir(), 'slm-copilot-header-'))
  try {
    const output = join(folder, 'start')
    for (const length of startLengths) {
      const size = await fetchStart(host, { url, output, length })
      const description = await readModelStart(output, size, url)
      if (description !== undefined) return description
      if (size <= length) break
    }
    throw new UnusableModelError(
      `${url} cannot be used as a model: its header is longer than the file, or 48 MiB.`,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A missing file may be on a disk that is attached later. */
function readModelOnDisk(path: string): Promise<Description> {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return readModelFile(path)
  throw new Error(`${path} does not exist. Attach and mount its disk, or check the path.`)
}
