/** System users, each with a group of its name. */
import type { Host } from './host.ts'

/** `id`: of user and group, where Debian assigns them a fixed one. */
export type SystemUser = { name: string; id?: number }

/** Creates those users and groups, without home folder and login, that do not exist. */
export async function ensureSystemUsers(host: Host, users: readonly SystemUser[]): Promise<void> {
  const isIn = (path: string, name: string) =>
    (host.files.read(path) ?? '').split('\n').some(line => line.startsWith(`${name}:`))
  for (const { name, id } of users) {
    const withId = (option: string) => (id === undefined ? [] : [option, String(id)])
    if (!isIn('/etc/group', name)) await host.$`groupadd --system ${withId('--gid')} ${name}`
    if (!isIn('/etc/passwd', name))
      await host.$`useradd --system ${withId('--uid')} --gid ${name} --no-create-home --shell /usr/sbin/nologin ${name}`
  }
}
