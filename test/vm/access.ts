/** What a client outside of the VM needs: the endpoint, the CA and the key. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import { sshOutput } from './ssh.ts'

/** Paths of files of mode 0600 in the VM's folder. `header`: the key as a header line, for curl's `-H @file`. */
export type AccessFiles = { endpoint: string; ca: string; key: string; header: string }

const certificateAuthority = '/etc/ssl/slm-copilot/ca.crt'
const password = '/var/lib/slm-copilot/password'

/** Fetches the certificate authority and the key over SSH. */
export async function readAccess(machine: Machine): Promise<AccessFiles> {
  const save = (name: string, text: string) => {
    const path = join(machine.folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const key = (await sshOutput(machine, `cat ${password}`)).trim()
  return {
    endpoint: `https://127.0.0.1:${machine.ports.https}`,
    ca: save('ca.crt', await sshOutput(machine, `cat ${certificateAuthority}`)),
    key: save('password', `${key}\n`),
    header: save('authorization', `Authorization: Bearer ${key}\n`),
  }
}

/** A command that works when pasted, and keeps the key out of the process list. */
export const curlLine = ({ endpoint, ca, header }: AccessFiles): string =>
  [
    `curl --cacert ${ca} \\`,
    `  -H @${header} \\`,
    `  -H 'Content-Type: application/json' \\`,
    `  -d '{"messages": [{"role": "user", "content": "Hello!"}]}' \\`,
    `  ${endpoint}/v1/chat/completions`,
  ].join('\n')
