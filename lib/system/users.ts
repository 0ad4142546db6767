/** System users. */
import type { Host } from './host.ts'

/** Makes a system user of this name, without home and login, unless there is one. */
export async function ensureSystemUser(host: Host, name: string): Promise<void> {
  const { exitCode } = await host.query`getent passwd ${name}`.nothrow()
  if (exitCode === 0) return
  await host.$`useradd --system --user-group --no-create-home --shell /usr/sbin/nologin ${name}`
}
