/** A router's floating addresses: which interface takes each, whether they are here, and keepalived. */
import { paths, units } from '../../appliance/paths.ts'
import { services } from '../../appliance/services/services.ts'
import type { FloatingAddress } from '../../render/fleet/floating-ip.ts'
import type { InterfaceAddress } from '../../system/facts.ts'
import type { Host } from '../../system/host.ts'
import { deviceFor } from '../../system/networks.ts'
import { disableUnit } from '../../system/systemd.ts'
import { applyService } from './services.ts'

/** The addresses that this router may take, and notes on the others. */
export function placeFloating(
  addresses: string[],
  networks: InterfaceAddress[],
): { addresses: FloatingAddress[]; notes: string[] } {
  const own = networks.filter(({ cidr }) => !addresses.includes(cidr.split('/')[0] as string))
  const placed = addresses.map(address => ({ address, device: deviceFor(address, own) }))
  return {
    addresses: placed.flatMap(({ address, device }) => (device === undefined ? [] : [{ address, device }])),
    notes: placed.filter(({ device }) => device === undefined).map(({ address }) => notPlaced(address, own)),
  }
}

const notPlaced = (address: string, networks: InterfaceAddress[]) => {
  const seen = networks.map(({ device, cidr }) => `${device} ${cidr}`).join(', ')
  return `The floating address ${address} is in none of this router's networks (${seen || 'it has none'}), so this router never has it.`
}

/** Starts or stops keepalived, as configure has decided. Returns a note if that fails: the router serves at its own address. */
export async function applyFloatingIp(host: Host): Promise<string[]> {
  try {
    if (host.files.status(paths.floatingConfiguration) === undefined)
      await disableUnit(host, units.floatingIp)
    else await applyService(host, services.floatingIp)
    return []
  } catch (error) {
    const [first = ''] = (error as Error).message.split('\n')
    const note = `This router does not take the floating address: ${first.replace(/:$/, '.')} See: journalctl -u ${units.floatingIp}`
    host.log.warn(note)
    return [note]
  }
}

/** Those that configure has found in the context. */
export const floatingAddresses = (host: Host): string[] =>
  [...(host.files.read(paths.addresses) ?? '').matchAll(/^floating (.*)$/gm)].map(
    ([, address = '']) => address,
  )
