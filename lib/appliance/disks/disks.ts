/** The disks that may be attached for the appliance, recognised by the label of their file system. */
import { paths } from '../paths.ts'

export const diskLabels = { models: 'COPILOT-MODELS', state: 'COPILOT-STATE' } as const

/** A block device with a file system. */
export type AttachedDisk = { device: string; label: string; type: string; uuid: string }

/** Parses the output of `blkid --output export` (blkid(8)): lines NAME=value, devices separated by empty lines. */
export const parseBlkid = (text: string): AttachedDisk[] =>
  text
    .split(/\n\s*\n/)
    .map(block => Object.fromEntries(block.split('\n').map(line => line.split(/=(.*)/s).slice(0, 2))))
    .filter(({ DEVNAME }) => DEVNAME !== undefined)
    .map(({ DEVNAME, LABEL = '', TYPE = '', UUID = '' }) => ({
      device: DEVNAME,
      label: LABEL,
      type: TYPE,
      uuid: UUID,
    }))

/** `/dev/vdb (ext4, labelled COPILOT-STATE)`. */
const described = ({ device, type, label }: AttachedDisk) =>
  `${device} (${type || 'no file system'}, labelled ${label})`

export type ModelsDecision =
  | { do: 'nothing' }
  | { do: 'mount'; disk: AttachedDisk; note?: string }
  /** What is mounted is no longer there. */
  | { do: 'unmount' }

/**
 * What to do about the disk with models. `mounted`: the source of what is mounted at its folder, if anything is: a
 * device, or the tag of a virtiofs share that the context agent has mounted there.
 */
export function decideModels(disks: AttachedDisk[], mounted: string | undefined): ModelsDecision {
  const [first, ...others] = disks.filter(({ label }) => label === diskLabels.models)
  if (mounted !== undefined) {
    const isGone = mounted.startsWith('/dev/') && !disks.some(({ device }) => device === mounted)
    return { do: isGone ? 'unmount' : 'nothing' }
  }
  if (first === undefined) return { do: 'nothing' }
  if (others.length === 0) return { do: 'mount', disk: first }
  const names = others.map(({ device }) => device).join(', ')
  return {
    do: 'mount',
    disk: first,
    note: `Several disks are labelled ${diskLabels.models}: ${first.device} is used, and not ${names}.`,
  }
}

/** Without a label, an empty disk with this serial number is meant for the state. */
export const stateSerial = diskLabels.state

/** The disk that the context, or its serial number, names for the state. */
export type NamedDisk = {
  name: string
  /** Undefined if there is no such disk. */
  device: string | undefined
  /** The types of whatever is on it: file systems, partition tables, members of a RAID. */
  signatures: string[]
}

export type StateFacts = {
  disks: AttachedDisk[]
  mounted: string | undefined
  /** Undefined if neither names one. */
  named: NamedDisk | undefined
  /** The UUID of the file system that holds this VM's state, once it does. */
  used: string | undefined
}

export type StateDecision =
  | { do: 'nothing' }
  | { do: 'use'; disk: AttachedDisk }
  | { do: 'format'; device: string }
  | { do: 'refuse'; reason: string }

const refuse = (reason: string): StateDecision => ({ do: 'refuse', reason })

/** The only file system for the state: it keeps owners and modes, and notices if another machine has it mounted. */
const stateType = 'ext4'

/** What to do about the disk with the state. Only an empty disk that somebody has named is ever formatted. */
export function decideState({ disks, mounted, named, used }: StateFacts): StateDecision {
  if (mounted !== undefined) return { do: 'nothing' }
  const labelled = disks.filter(({ label }) => label === diskLabels.state)
  const [disk, ...others] = labelled
  if (others.length > 0)
    return refuse(
      `${labelled.length} disks are labelled ${diskLabels.state}: ${labelled.map(each => each.device).join(', ')}. Detach all but one.`,
    )
  if (disk !== undefined) return decideLabelled(disk, used)
  if (used !== undefined)
    return refuse(
      `This VM's state is on a disk labelled ${diskLabels.state} (UUID ${used}), which is not attached. Attach it; or, to go on with what the VM had before it used that disk: rm ${paths.stateDiskUsed}`,
    )
  return named === undefined ? { do: 'nothing' } : decideNamed(named)
}

function decideLabelled(disk: AttachedDisk, used: string | undefined): StateDecision {
  if (disk.type !== stateType)
    return refuse(`${described(disk)} cannot hold the state: it takes ${stateType}. Attach an empty disk.`)
  if (used !== undefined && disk.uuid !== used)
    return refuse(
      `${described(disk)} has the UUID ${disk.uuid}, but this VM's state is on the one with ${used}. Attach that; or, to use this one from now on: rm ${paths.stateDiskUsed}`,
    )
  return { do: 'use', disk }
}

function decideNamed({ name, device, signatures }: NamedDisk): StateDecision {
  if (device === undefined)
    return refuse(`There is no disk ${name} for the state. Attach it, or name another one.`)
  if (signatures.length > 0)
    return refuse(
      `${device}, named for the state, is not empty: it has ${signatures.join(', ')}, and is not formatted. Attach an empty disk; or, if an ${stateType} file system on it is meant for the state: e2label ${device} ${diskLabels.state}`,
    )
  return { do: 'format', device }
}
