/** At bake time, last: the software bill of materials and the licence texts of what is in the image. */
import { createHash } from 'node:crypto'
import { sbomText } from '../lib/appliance/inventory/sbom.ts'
import { paths } from '../lib/appliance/paths.ts'
import {
  bundledComponents,
  bundledNotices,
  imageComponents,
  llamaNotices,
  recordedComponents,
} from '../lib/steps/inventory/inventory.ts'
import { installedRelease } from '../lib/steps/models/release.ts'
import type { Host } from '../lib/system/host.ts'
import { applyFiles } from '../lib/system/managed-files.ts'
import packageFile from '../package.json' with { type: 'json' }

/** `framework`: the commit of one-apps in the image; by default the one that is recorded, if any. */
export async function sbom(host: Host, framework: string | undefined): Promise<void> {
  const recorded = recordedComponents(host)?.find(({ kind }) => kind === 'framework')?.version
  const components = [
    ...(await imageComponents(host, installedRelease(host), framework ?? recorded)),
    ...bundledComponents(),
  ]
  const { stdout } = await host.query`sha256sum ${paths.executable}`
  const digest = stdout.slice(0, 64)
  const subject = {
    version: packageFile.version,
    digest,
    serial: serialOf([digest, JSON.stringify(components)]),
  }
  await applyFiles(host, [
    { path: paths.documents, mode: 0o755, folder: true },
    { path: paths.sbom, mode: 0o644, text: sbomText(subject, components) },
    { path: paths.notices, mode: 0o644, text: `${bundledNotices() ?? ''}${llamaNotices(host)}` },
  ])
}

/** A UUID of the kind that applications define (RFC 9562, 5.8), from a digest. */
function serialOf(content: string[]): string {
  const hex = createHash('sha256').update(content.join('\n')).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
