/** Installs Debian packages. */
import type { Host } from './host.ts'

const options = ['--quiet', '--yes', '--option', 'DPkg::Lock::Timeout=600', '--option', 'Acquire::Retries=3']

/** Installs the missing packages, without recommended ones. */
export async function installPackages(host: Host, names: string[]): Promise<void> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
  const format = '${Package} ${Status}\n'
  const { stdout } = await host.query`dpkg-query --show --showformat ${format} ${names}`.nothrow()
  const installed = new Set(
    stdout
      .split('\n')
      .filter(line => line.endsWith('install ok installed'))
      .map(line => line.split(' ')[0]),
  )
  const missing = names.filter(name => !installed.has(name))
  if (missing.length === 0) return

  const onLine = (line: string) =>
    /^(Get:|Unpacking|Setting up)/.test(line) && host.log.info(line.slice(0, 100))
  host.log.info(`Installing packages: ${missing.join(' ')}`)
  // An earlier run that was killed inside dpkg may have left packages half-configured.
  await host.$`dpkg --configure --pending`
  await host.$`apt-get ${options} update`
  await host.$({ onLine })`apt-get ${options} install --no-install-recommends ${missing}`
}
