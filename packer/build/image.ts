/** `make image`: the production image in dist/image, with manifest, checksums and signatures. */
import { join, resolve } from 'node:path'
import { wrapped } from '../../lib/appliance/text.ts'
import { readable } from '../../lib/system/large-files.ts'
import { bake, bakeName } from './bake.ts'
import { withBundle } from './bundle/server.ts'
import { cacheFolder, versionsOf } from './cache.ts'
import { buildExecutable, shim } from './executable.ts'
import { commitOf } from './git.ts'
import { readBuildMachine } from './image/build-machine.ts'
import { describeImage, sbomOf } from './image/describe.ts'
import { exportDisk, names, writeBeside } from './image/export.ts'
import { type Manifest, manifestText, oneAppsManifest } from './image/manifest.ts'
import { withOwnModel } from './image/own-model.ts'
import { commandsFor, missingFrom, warningsFor } from './image/requirements.ts'
import { parseSettings, type Settings } from './image/settings.ts'
import { sign } from './image/sign.ts'
import { oneAppsCheckout } from './one-apps.ts'
import { script, step } from './progress.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

/** Bakes and exports the image into its folder, as far as that has not been done from the same inputs. */
export async function makeImage(settings: Settings): Promise<Manifest> {
  const { output: folder } = settings
  const executable = await step('Executable', buildExecutable)
  const oneAppsDir = settings.oneAppsDir ?? (await oneAppsCheckout(settings.oneApps))
  const baked = await withBundle(settings.bundle, bundle =>
    bake({ ...settings, oneAppsDir, executable, shim, bundle }),
  )

  const image = await exportDisk({ ...baked, compression: settings.compression }, folder)
  const commits = { slmCopilot: commitOf(checkout), oneApps: commitOf(oneAppsDir) }
  const sbom = sbomOf(baked)
  const manifest = describeImage(baked, image, { release: settings.release, commits, sbom })
  writeBeside(folder, image, {
    ...(sbom && { [names.sbom]: sbom }),
    [names.manifest]: manifestText(manifest),
    [names.oneAppsManifest]: oneAppsManifest(manifest),
  })
  if (settings.signKey) await step('Sign', async () => sign(folder, settings.signKey ?? '', manifest))
  return manifest
}

/** Says what is to be made and what will make it slow. Throws, with everything that this machine lacks. */
function checkMachine(settings: Settings): void {
  const machine = readBuildMachine({
    commands: Object.keys(commandsFor(settings)),
    cache: { path: cacheFolder, results: versionsOf(bakeName(settings.oneAppsDir ?? 'one-apps')) },
    output: { path: settings.output, results: [join(settings.output, names.image)] },
  })
  const missing = missingFrom(machine, settings)
  for (const warning of warningsFor(machine, settings))
    console.log(wrapped(`Note: ${warning}`, 80).join('\n'))
  if (missing.length > 0) throw new Error(['make image: this machine lacks', ...missing].join('\n  '))
}

if (import.meta.main)
  await script(async () => {
    const settings = await withOwnModel(parseSettings(process.env))
    checkMachine(settings)
    const manifest = await makeImage(settings)
    console.log(
      `\n${settings.output}: ${manifest.image}, ${readable(manifest.fileSize)}, sha256 ${manifest.sha256}`,
    )
  })
