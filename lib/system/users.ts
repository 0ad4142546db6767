/** System users. */
import type { Host } from './host.ts'

/** Makes a system user of this name, without home and login, unless there is one. */
export async function ensureSystemUser(host: Host, name: string): Promise<void> {
  const isThere = host.isLive && (await host.ask(['getent', 'passwd', name])).code === 0
  if (isThere) return
  await host.run([
    'useradd',
    '--system',
    '--user-group',
    '--no-create-home',
    '--shell',
    '/usr/sbin/nologin',
    name,
  ])
}
