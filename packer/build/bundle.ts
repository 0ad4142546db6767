/** `make bundle`: whatever `make image` downloads, in one folder, for a build without a network. */
import { resolve } from 'node:path'
import {
  collectDebian,
  collectFiles,
  collectNpm,
  collectOneApps,
  startOver,
  writeSums,
} from './bundle/collect.ts'
import { withOwnModel } from './image/own-model.ts'
import { parseSettings, type Settings } from './image/settings.ts'
import { oneAppsCheckout } from './one-apps.ts'
import { script, step } from './progress.ts'

/** Fills the folder. What has been downloaded of llama.cpp, model and npm packages is kept from one run to the next. */
export async function makeBundle(settings: Settings, folder: string): Promise<void> {
  startOver(settings.release, folder)
  const oneAppsDir = settings.oneAppsDir ?? (await oneAppsCheckout(settings.oneApps))
  await step('npm packages', () => collectNpm(folder))
  await step('one-apps', () => collectOneApps(oneAppsDir, folder))
  await step('Debian packages', () => collectDebian(oneAppsDir, folder))
  await step('llama.cpp and the model', () => collectFiles(settings.release, folder))
  await step('Checksums', async () => writeSums(folder))
}

if (import.meta.main)
  await script(async () => {
    const { BUNDLE, ...others } = process.env
    const folder = resolve(BUNDLE || 'dist/bundle')
    await makeBundle(await withOwnModel(parseSettings(others)), folder)
    console.log(`\n${folder} is complete. With a copy of it and of this checkout, on a machine without a network:
  make image BUNDLE=FOLDER
That machine needs the Debian packages of packer/build/prerequisites.sh, and npm.`)
  })
