/** The packets that a container has sent, captured from before its boot on by container.sh, outside of the container. */
import { execFileSync } from 'node:child_process'
import { userNetwork } from '../../packer/build/context-disk.ts'
import { inFolder, type Machine } from './machine.ts'

/** Packets from the container that match a filter (pcap-filter(7)), a line each. */
export function packetsOf(container: Machine, filter: string): string[] {
  const sent = `ether src ${userNetwork.ETH0_MAC} and (${filter})`
  const command = ['-n', '-r', inFolder(container, 'packets.pcap'), sent]
  const lines = execFileSync('tcpdump', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  return lines.split('\n').filter(Boolean)
}
