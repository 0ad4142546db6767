/** Run by a unit before the services start, and by configure: mounts the disks that are meant for the appliance. */

import { variables } from '../lib/appliance/context/variables.ts'
import { decideModels, decideState, type StateFacts } from '../lib/appliance/disks/disks.ts'
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
import { parseEnvironment } from './environment.ts'

/** Mounts, formats and copies what has to be, and records the outcome. What cannot be used is in there, too. */
export const attachDisks = (host: Host): Promise<void> =>
  host.withLock(
    paths.disksLock,
    () => host.log.info('Waiting: disks are being attached already'),
    async () => {
      const disks: Disks = { ...(await attachModels(host)), ...(await attachState(host)) }
      for (const note of [...disks.notes, ...(disks.refusal === undefined ? [] : [disks.refusal])])
        host.log.warn(note)
      writeState(host, stateFiles.disks, disks)
    },
  )

async function attachModels(host: Host): Promise<Pick<Disks, 'models' | 'notes'>> {
  const decision = decideModels(await readDisks(host), await mountedAt(host, paths.modelsDisk))
  const notes: string[] = []
  if (decision.do === 'unmount') {
    await host.$`umount --lazy ${paths.modelsDisk}`
    host.log.warn('The disk with models is no longer attached.')
  }
  if (decision.do === 'mount') {
    const { disk, note } = decision
    if (note !== undefined) notes.push(note)
    host.files.makeFolder(paths.modelsDisk, 0o755)
    const { exitCode, stderr } =
      await host.$`mount -o ro,nosuid,nodev,noexec ${disk.device} ${paths.modelsDisk}`.nothrow()
    if (exitCode !== 0) notes.push(`${disk.device}, with models, cannot be mounted: ${stderr.trim()}`)
    else host.log.info(`${disk.device}, with models, is mounted at ${paths.modelsDisk}`)
  }
  const source = await mountedAt(host, paths.modelsDisk)
  return { notes, ...(source !== undefined && { models: { source } }) }
}

async function readStateFacts(host: Host): Promise<StateFacts> {
  const context = parseEnvironment(host.files.read(paths.contextFile) ?? '')
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
      host.log.info(`${decision.device} is empty, and named for the state: it is formatted`)
      await formatDisk(host, decision.device)
    }
    if (decision.do === 'nothing' && facts.mounted === undefined) return {}
    return await useLabelled(host)
  } catch (error) {
    return { refusal: `The disk with the state cannot be used: ${(error as Error).message}` }
  }
}

/** Uses the disk that is labelled by now; one that is mounted already may not be at all its places yet. */
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

/** Whether there is anything to mount, to unmount, to repeat or to refuse. */
export async function needsAttaching(host: Host): Promise<boolean> {
  const before = readState(host, stateFiles.disks)
  if (before?.state !== undefined || before?.refusal !== undefined || (before?.notes ?? []).length > 0)
    return true
  const models = decideModels(await readDisks(host), await mountedAt(host, paths.modelsDisk))
  const facts = await readStateFacts(host)
  return models.do !== 'nothing' || facts.mounted !== undefined || decideState(facts).do !== 'nothing'
}

/** The link by which disks are mounted at boot: only where this VM uses one, since it delays each boot. */
export function disksLink(host: Host): ManagedFile {
  const disks = readState(host, stateFiles.disks)
  const isUsed = [disks?.models, disks?.state, readState(host, stateFiles.usedDisk)].some(
    use => use !== undefined,
  )
  return isUsed ? disksWanted : { path: paths.disksWanted, absent: true }
}

/** Run by udev when such a disk appears or vanishes after the first configure of this boot. */
export async function noticeDisks(host: Host): Promise<void> {
  const disks = await readDisks(host)
  const models = decideModels(disks, await mountedAt(host, paths.modelsDisk))
  const state = decideState(await readStateFacts(host))
  if (models.do === 'nothing' && (state.do === 'nothing' || state.do === 'refuse')) return
  host.log.info('A disk of the appliance has been attached or detached: configuring again')
  // The unit that configures sees no devices.
  await host.$`systemctl start ${units.disks}`
  await host.$`systemctl start --no-block ${units.reconfigure}`
}
