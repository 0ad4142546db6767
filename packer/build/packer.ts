/** Packer's versions and command line. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { runLogged } from './progress.ts'

const folder = join(import.meta.dirname, '..')
const checkout = join(folder, '..')

/** What every Packer reads; and what only those read whose QEMU builder is a plugin. */
export const templates = ['slm-copilot.pkr.hcl', 'variables.pkr.hcl'] as const
const plugins = 'plugins.pkr.hcl'

/** Since 1.7 Packer installs plugins; Debian's 1.6.6 has the QEMU builder built in, and rejects the block for them. */
export const hasPlugins = (version: string): boolean => {
  const [, major = 0, minor = 0] = (/v(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  return major > 1 || minor >= 7
}

/** By default its cache is a folder in the checkout, and it checks for updates on the internet. */
const environment = (work: string) => ({ PACKER_CACHE_DIR: join(work, 'cache'), CHECKPOINT_DISABLE: '1' })

type PackerVariables = Record<string, string | number | boolean>

/** Runs `packer build` or `validate` in the checkout, with files of its own in the folder `work`. */
export async function packer(command: string[], variables: PackerVariables, work: string): Promise<void> {
  const env = environment(work)
  const needsPlugins = hasPlugins(
    execFileSync('packer', ['version'], { encoding: 'utf8', env: { ...process.env, ...env } }),
  )
  const template = join(work, 'template')
  mkdirSync(template)
  for (const name of [...templates, ...(needsPlugins ? [plugins] : [])])
    symlinkSync(join(folder, name), join(template, name))
  // Installs the plugin if it is missing.
  if (needsPlugins) await runLogged('packer-init', ['packer', 'init', template], { env })

  const flags = Object.entries(variables).map(([name, value]) => `-var=${name}=${value}`)
  await runLogged(`packer-${command[0]}`, ['packer', ...command, ...flags, template], {
    cwd: checkout,
    env,
    show: /^(==>| {4}(qemu|null)\.)/,
    // Packer shuts its VM down.
    whenKilled: 'TERM',
  })
}
