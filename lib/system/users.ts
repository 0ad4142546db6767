/** System users. */
import type { Host } from './host.ts'

/** Creates a system user without home folder and login, if it does not exist yet. */
export async function ensureSystemUser(host: Host, name: string): Promise<void> {
  const { exitCode } = await host.query`getent passwd ${name}`.nothrow()
  if (exitCode === 0) return
  await host.$`useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${name}`
}
