/** `slm-copilot about`: versions and licences of what the executable and the image contain. */
import { paths } from '../../lib/appliance/paths.ts'
import { aboutJson, aboutText } from '../../lib/render/text/about.ts'
import { bundledComponents, bundledNotices, recordedComponents } from '../../lib/steps/inventory/inventory.ts'
import type { Host } from '../../lib/system/host.ts'
import packageFile from '../../package.json' with { type: 'json' }

export function about(host: Host, asJson: boolean): string {
  const recorded = recordedComponents(host)
  const isBaked = recorded !== undefined
  const all = {
    version: packageFile.version,
    components: recorded ?? bundledComponents(),
    sbom: isBaked ? paths.sbom : undefined,
    notices: isBaked ? paths.notices : undefined,
  }
  return asJson ? aboutJson(all) : aboutText(all)
}

/** The licence texts: the image's, or those of what is in the executable. */
export function notices(host: Host): string {
  const text = host.files.read(paths.notices) ?? bundledNotices()
  if (text === undefined) throw new Error('the licence texts are in the built executable: make build')
  return text
}
