/** Changes HAProxy's servers, and reads their state, through its control socket. */
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import { paths, units } from '../../appliance/paths.ts'
import { changesOf, type HaproxyServer, serversIn } from '../../render/fleet/commands.ts'
import { ask } from '../../system/conversations.ts'
import type { Host } from '../../system/host.ts'

/** Seconds for one command. */
const timeout = 5

async function command(host: Host, text: string): Promise<string> {
  try {
    return await ask(host.files.at(paths.routerControl), `${text}\n`, timeout)
  } catch (error) {
    const { message } = error as Error
    throw new Error(`HAProxy does not answer: ${message}. For the reason: journalctl -u ${units.router}`, {
      cause: error,
    })
  }
}

/** The servers that HAProxy has. Rejects if it does not run. */
export const readServers = async (host: Host): Promise<HaproxyServer[]> =>
  serversIn(await command(host, 'show stat fleet 4 -1'))

/** HAProxy's answers to commands that have worked: nothing, or one of these. */
const successes =
  /^$|^New server registered|^Server deleted|^New CA file created|^transaction (created|updated)|Success!|^CA file '.*' deleted/

/**
 * Commands that may fail: a server may still have connections, and one with a public CA has no CA file. The next
 * run repeats them.
 */
const harmless = /^(del server|del ssl ca-file) /

/** Makes HAProxy's servers those copilots; logs each command that it has refused. */
export async function applyServers(host: Host, wanted: Copilot[]): Promise<void> {
  const chosen = (await command(host, 'fleet list')).split('\n').filter(Boolean)
  for (const change of changesOf(wanted, await readServers(host), chosen)) {
    const answer = (await command(host, change)).trim()
    if (successes.test(answer) || harmless.test(change)) continue
    const [first = ''] = change.split('\n')
    host.log.warn(`HAProxy refused \`${first}\`: ${answer.split('\n')[0]}`)
  }
}
