/**
 * An installation is killed at random moments, while it downloads, unpacks and tries llama-server, and is run again: it
 * continues, and leaves the same behind as one that nobody disturbed. The executable installs into an overlay of this
 * machine's root file system. KILL_SEED repeats a run; KILLS is how many there are.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { packages } from '../../lib/appliance/packages.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { buildExecutable } from '../../packer/build/executable.ts'
import { archiveName, llamaRelease } from '../mirror/llama-release.ts'
import { releaseValue } from '../mirror/mirror.ts'
import { sentenceModel } from '../mirror/sentence-model.ts'
import { type SlowServer, startSlowServer } from '../mirror/slow-server.ts'
import { seededRandom } from './support/seeded-random.ts'

const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000)
const kills = Number(process.env.KILLS ?? 4)
const random = seededRandom(seed)

/**
 * Bytes per second of the mirror: downloads take four seconds, the rest two. Milliseconds within which a run is killed: less,
 * since each one continues.
 */
const speed = 5_000_000
const longest = 3000

const work = mkdtempSync(join(tmpdir(), 'slm-copilot-install-'))
const holders: ChildProcess[] = []
let executable: string
let files: Record<string, Buffer>
let server: SlowServer

beforeAll(async () => {
  executable = await buildExecutable()
  files = {
    [`/${archiveName}`]: readFileSync(await llamaRelease()),
    '/sentence.gguf': readFileSync(await sentenceModel()),
  }
})
afterEach(async () => {
  // The mounts go with the namespace.
  for (const holder of holders.splice(0)) holder.kill('SIGKILL')
  await server.close()
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

/** All packages are there: which ones this machine has is not under test. */
const dpkgQuery = `#!/bin/sh\nprintf '%s install ok installed\\n' ${packages.join(' ')}\n`

/** What is there beforehand. */
async function writeGiven(folder: string) {
  const given = [
    ['usr/local/sbin/dpkg-query', dpkgQuery],
    ['root/release.json', JSON.stringify(await releaseValue(server.url))],
    [paths.executable, readFileSync(executable)],
  ] as const
  for (const [path, content] of given) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content, { mode: 0o755 })
  }
}

/** An overlay of this machine's root, in a mount namespace of its own, to install into. */
async function newMachine() {
  const folder = mkdtempSync(join(work, 'machine-'))
  await writeGiven(join(folder, 'given'))
  // No layer may be inside of another.
  const mounts = `cd "$0"; mkdir writes root; mount -t tmpfs tmpfs writes; mkdir writes/upper writes/work; mv given writes
    mount -t overlay -o lowerdir=writes/given:/,upperdir=writes/upper,workdir=writes/work overlay root
    for kernel in proc sys dev; do mount --rbind "/$kernel" "root/$kernel"; done
    echo mounted; exec sleep infinity`
  const holder = spawn('unshare', ['--mount', 'bash', '-euc', mounts, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  holders.push(holder)
  const [line] = await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')])
  expect(String(line)).toBe('mounted\n')
  const within = [`--mount=/proc/${holder.pid}/ns/mnt`, `--wdns=${folder}`]
  const options = ['--release', '/root/release.json', '--mirror', server.url]
  const install = [...within, 'chroot', 'root', paths.executable, 'install', ...options]
  // Not the logs, nor the contents of what contains times and inodes.
  const list = `cd writes/upper; find . -path ./var/log -prune -o -printf '%p %y %m %U:%G %l\\n' | sort
    find . -path ./var/log -prune -o -type f ! -path .${paths.fileProofs} ! -path .${paths.stageRuns} -print0 |
    sort -z | xargs -0 sha256sum`
  const run = async (words: string[]) => (await promisify(execFile)('nsenter', words)).stdout
  return {
    /** Starts an installation in a process group of its own. */
    start: () => spawn('nsenter', install, { detached: true, stdio: 'ignore' }),
    install: () => run(install),
    /** All that has been written. */
    content: () => run([...within, 'bash', '-euc', list]),
  }
}

it(`killed ${kills} times, it continues, and leaves the same behind`, {
  timeout: 120_000 + kills * 20_000,
}, async () => {
  server = await startSlowServer(files)
  const undisturbed = await newMachine()
  await undisturbed.install()
  const all = server.sent()

  const machine = await newMachine()
  server.setSpeed(speed)
  const moments: string[] = []
  for (let kill = 1; kill <= kills; kill += 1) {
    const run = machine.start()
    const ended = once(run, 'exit')
    const moment = random(longest)
    await sleep(moment)
    // Everything at once, as in a power cut; or only the executable: its children must not go on.
    const isAlone = random(2) === 0
    const pid = run.pid as number
    if (run.exitCode === null) process.kill(isAlone ? pid : -pid, 'SIGKILL')
    const [, signal] = await ended
    moments.push(
      `${(moment / 1000).toFixed(1)} s${isAlone ? ', alone' : ''}${signal ? '' : ', after its end'}`,
    )
  }
  server.setSpeed(Number.POSITIVE_INFINITY)
  await machine.install()
  console.log(
    `Seed ${seed}: killed after ${moments.join('; ')}; ${server.sent() - all} bytes of ${all} were sent`,
  )
  expect(await machine.content()).toBe(await undisturbed.content())
  expect(await machine.install()).not.toMatch(/created|updated|removed|Downloading/)
  // What had arrived was kept; a killed connection may lose what was on its way.
  expect(server.sent() - all).toBeLessThan(all + kills * 3_000_000)
})
