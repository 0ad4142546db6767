/** Which network interface an address belongs to. */
import { BlockList, isIP } from 'node:net'
import type { InterfaceAddress } from './facts.ts'

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** The interface whose network contains the address; undefined if none does. */
export function deviceFor(address: string, networks: InterfaceAddress[]): string | undefined {
  const found = networks.find(({ cidr }) => {
    const [own = '', length] = cidr.split('/')
    if (familyOf(own) !== familyOf(address) || length === undefined) return false
    const network = new BlockList()
    network.addSubnet(own, Number(length), familyOf(own))
    return network.check(address, familyOf(address))
  })
  return found?.device
}
