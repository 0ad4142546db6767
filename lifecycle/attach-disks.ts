/** Run by a unit: mounts the disks with models and state; and what decides when that unit is started. */

import { variables } from '../lib/appliance/context/variables.ts'
import {
  type AttachedDisk,
  decideModels,
  decideState,
  type StateFacts,
} from '../lib/appliance/disks/disks.ts'
import type { Disks } from '../lib/appliance/disks/state.ts'
import { paths, units } from '../lib/appliance/paths.ts'
import { stateFiles } from '../lib/appliance/state-files.ts'
import { disksWanted } from '../lib/render/units/disks.ts'
import { mountedAt, readDisks, readNamedDisk } from '../lib/steps/disks/facts.ts'
import { formatDisk, useDisk } from '../lib/steps/disks/state-disk.ts'
import type { Host } from '../lib/system/host.ts'
import type { ManagedFile } from '../lib/system/managed-files.ts'
import { readState, writeState } from '../lib/system/state-files.ts'
import packageFile from '../package.json' with { type: 'json' }
import { readContext } from './environment.ts'

/**
 * Mounts, formats and copies what is needed, and records the outcome: the disks in use, and why others cannot be
 * used.
 */
export const attachDisks = (host: Host): Promise<void> =>
  host.withLock(
    paths.disksLock,
    () => host.log.info('Waiting for another run that attaches disks to finish'),
    async () => {
      const disks: Disks = { ...(await attachModels(host)), ...(await attachState(host)) }
      for (const note of [...disks.notes, ...(disks.refusal === undefined ? [] : [disks.refusal])])
        host.log.warn(note)
      writeState(host, stateFiles.disks, disks)
    },
  )

/** Chat is served without this disk, too: what fails is a note. */
async function attachModels(host: Host): Promise<Pick<Disks, 'models' | 'notes'>> {
  const notes: string[] = []
  try {
    const decision = decideModels(await readDisks(host), await mountedAt(host, paths.modelsDisk))
    if (decision.do === 'unmount') await unmountModels(host)
    if (decision.do === 'mount') {
      if (decision.note !== undefined) notes.push(decision.note)
      await mountModels(host, decision.disk)
    }
  } catch (error) {
    notes.push(`The disk with models cannot be used: ${(error as Error).message}`)
  }
  const source = await mountedAt(host, paths.modelsDisk)
  return { notes, ...(source !== undefined && { models: { source } }) }
}

async function unmountModels(host: Host): Promise<void> {
  await host.$`umount --lazy ${paths.modelsDisk}`
  host.log.warn('The disk with models is no longer attached.')
}

async function mountModels(host: Host, { device }: AttachedDisk): Promise<void> {
  host.files.makeFolder(paths.modelsDisk, 0o755)
  const { exitCode, stderr } =
    await host.$`mount -o ro,nosuid,nodev,noexec ${device} ${paths.modelsDisk}`.nothrow()
  if (exitCode !== 0) throw new Error(`${device} cannot be mounted: ${stderr.trim()}`)
  host.log.info(`${device}, the disk with models, is mounted at ${paths.modelsDisk}`)
}

async function readStateFacts(host: Host): Promise<StateFacts> {
  const context = readContext(host)
  const { name, alias = '' } = variables.stateDisk
  return {
    disks: await readDisks(host),
    mounted: await mountedAt(host, paths.stateDisk),
    named: await readNamedDisk(host, context[name] || context[alias] || undefined),
    used: readState(host, stateFiles.usedDisk)?.uuid,
  }
}

async function attachState(host: Host): Promise<Pick<Disks, 'state' | 'refusal'>> {
  try {
    const facts = await readStateFacts(host)
    const decision = decideState(facts)
    if (decision.do === 'refuse') return { refusal: decision.reason }
    if (decision.do === 'format') {
      host.log.info(`${decision.device} is empty, and named for the state: formatting it`)
      await formatDisk(host, decision.device)
    }
    if (decision.do === 'nothing' && facts.mounted === undefined) return {}
    return await useLabelled(host)
  } catch (error) {
    return { refusal: `The disk with the state cannot be used: ${(error as Error).message}` }
  }
}

/** Uses the disk that has the label now. Of one that is mounted already, not every folder may be in its place yet. */
async function useLabelled(host: Host): Promise<Pick<Disks, 'state' | 'refusal'>> {
  const disks = await readDisks(host)
  const used = readState(host, stateFiles.usedDisk)?.uuid
  const decision = decideState({ disks, mounted: undefined, named: undefined, used })
  if (decision.do !== 'use') return decision.do === 'refuse' ? { refusal: decision.reason } : {}
  const { disk } = decision
  const refusal = await useDisk(host, disk, packageFile.version)
  if (refusal !== undefined) return { refusal }
  return { state: { device: disk.device, uuid: disk.uuid } }
}

/** Whether `attachDisks` would do anything, or has something to try again. */
export async function needsAttaching(host: Host): Promise<boolean> {
  const before = readState(host, stateFiles.disks)
  if (before?.state !== undefined || before?.refusal !== undefined || (before?.notes ?? []).length > 0)
    return true
  const models = decideModels(await readDisks(host), await mountedAt(host, paths.modelsDisk))
  const facts = await readStateFacts(host)
  return models.do !== 'nothing' || facts.mounted !== undefined || decideState(facts).do !== 'nothing'
}

/** The link that has disks mounted at boot: only if this VM uses one, since it delays each boot. */
export function disksLink(host: Host): ManagedFile {
  const disks = readState(host, stateFiles.disks)
  const isUsed = [disks?.models, disks?.state, readState(host, stateFiles.usedDisk)].some(
    use => use !== undefined,
  )
  return isUsed ? disksWanted : { path: paths.disksWanted, absent: true }
}

/** Run by udev when such a disk is attached or detached after the first configure of this boot. */
export async function noticeDisks(host: Host): Promise<void> {
  const disks = await readDisks(host)
  const models = decideModels(disks, await mountedAt(host, paths.modelsDisk))
  const state = decideState(await readStateFacts(host))
  if (models.do === 'nothing' && (state.do === 'nothing' || state.do === 'refuse')) return
  host.log.info('A disk of the appliance has been attached or detached: configuring again')
  // By its own unit: that of the stages sees no devices.
  await host.$`systemctl start ${units.disks}`
  await host.$`systemctl start --no-block ${units.reconfigure}`
}
