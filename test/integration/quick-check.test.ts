/** The watchdog's quick check of the real services: it ends if all is well, and otherwise calls the executable. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { paths, ports, units } from '../../lib/appliance/paths.ts'
import { quickCheck } from '../../lib/render/units/watchdog.ts'
import { http } from '../../lib/system/http.ts'
import { withLock } from '../../lib/system/lock.ts'
import { type Stack, startStack } from './support/stack.ts'

let stack: Stack
let script: string
let healthy: string
let lock: string

const groups = () => join(stack.root, 'run/groups')

/** The processes in each unit's control group, as under systemd. */
function writeGroups(): void {
  const processes = {
    [units.llama]: [stack.llamaPid()],
    [units.admission]: [stack.admissionPid(), ...stack.admissionWorkers()],
    [units.nginx]: stack.workers(),
  }
  for (const [unit, pids] of Object.entries(processes)) {
    mkdirSync(join(groups(), unit), { recursive: true })
    writeFileSync(join(groups(), unit, 'cgroup.procs'), `${pids.join('\n')}\n`)
  }
}

function withoutProcesses(act: () => void): void {
  for (const unit of [units.llama, units.admission, units.nginx])
    writeFileSync(join(groups(), unit, 'cgroup.procs'), '')
  try {
    act()
  } finally {
    writeGroups()
  }
}

beforeAll(async () => {
  stack = await startStack({})
  script = join(stack.root, 'watchdog.sh')
  healthy = join(stack.root, 'run/healthy')
  lock = join(stack.root, 'run/lock')
  writeGroups()
  const moved = quickCheck()
    .replaceAll('/sys/fs/cgroup/system.slice', groups())
    .replaceAll(paths.admissionSocket, stack.admissionSocket)
    .replaceAll(paths.socket, stack.socket)
    .replaceAll(`-d ${paths.socketFolder} `, `-d ${join(stack.root, 'run')} `)
    .replaceAll(`127.0.0.1:${ports.http}/`, `${stack.httpUrl.replace('http://', '')}/`)
    .replaceAll(paths.healthy, healthy)
    .replaceAll(paths.lock, lock)
    .replaceAll(
      /\/run\/slm-copilot-(completion|embeddings|reranking)/g,
      join(stack.root, 'run/slm-copilot-$1'),
    )
    .replaceAll(paths.executable, '/bin/echo')
    .replaceAll(paths.unavailableReason, join(stack.root, 'run/unavailable'))
    .replaceAll(paths.readiness, join(stack.root, 'run/readiness'))
    .replaceAll(paths.messageOfTheDay, message())
    .replaceAll(paths.currentChain, join(stack.root, 'run/chain.pem'))
    .replaceAll('systemctl ', '/bin/echo ')
  writeFileSync(script, moved)
  writeFileSync(healthy, '')
  writeFileSync(lock, '')
  show('serving')
})
afterAll(() => stack.close())

const message = () => join(stack.root, 'run/motd')

/** What READY and the message of the day say, and when to try again. */
function show(state: string, due = ''): void {
  writeFileSync(message(), `${state}\n`)
  const digest = createHash('sha256').update(`${state}\n`).digest('hex')
  writeFileSync(join(stack.root, 'run/readiness'), `${state} ${digest} ${due}\n`)
}

/** The command that it calls, if any. */
const look = () => execFileSync('sh', [script], { encoding: 'utf8' })
const noCall = ''
const callsExecutable = 'watchdog\n'
const updatesReadiness = `start --no-block ${units.readiness}\n`

it('passes shellcheck', () => {
  expect(execFileSync('shellcheck', ['-'], { encoding: 'utf8', input: quickCheck() })).toBe('')
})

describe('ends at once', () => {
  it('if all is idle', () => {
    expect(look()).toBe(noCall)
  })

  it('while answers are generated', async () => {
    const json = { prompt: 'Hi', max_tokens: 100_000, ignore_eos: true, stream: true }
    const cut = http({
      url: 'http://x/v1/completions',
      socket: stack.admissionSocket,
      json,
      isEnough: pieces => pieces.length > 300,
      timeout: 60,
    })
    await sleep(200)
    expect(look()).toBe(noCall)
    await cut
  })

  it('if llama-server is not supposed to run', () => {
    const folder = join(stack.root, 'run')
    const text = readFileSync(script, 'utf8')
    const without = join(stack.root, 'without-llama.sh')
    writeFileSync(
      without,
      text.replace(`[ -d ${folder} ]`, '[ -d /nowhere ]').replaceAll(stack.socket, '/nowhere'),
    )
    expect(execFileSync('sh', [without], { encoding: 'utf8' })).toBe(noCall)
  })
})

const away = (path: () => string): [() => void, () => void] => [
  () => renameSync(path(), `${path()}.away`),
  () => renameSync(`${path()}.away`, path()),
]

describe('with a problem', () => {
  const [worry, calm] = away(() => healthy)
  beforeEach(worry)
  afterEach(calm)

  it('ends at once while a stage is at work', async () => {
    const inStage = () =>
      withLock(
        lock,
        () => {},
        async () => look(),
      )
    expect(await inStage()).toBe(noCall)
    expect(look()).toContain(callsExecutable)
  })

  it('ends at once before the first stage since boot, unless a service runs already', () => {
    const [remove, restore] = away(() => lock)
    remove()
    try {
      expect(look()).toContain(callsExecutable)
      withoutProcesses(() => expect(look()).toBe(noCall))
    } finally {
      restore()
    }
  })

  it('calls the executable if no service runs after a stage', () => {
    withoutProcesses(() => expect(look()).toContain(callsExecutable))
  })
})

describe('calls the executable', () => {
  const stopped = (pid: () => number | undefined): [() => void, () => void] => [
    () => process.kill(pid() as number, 'SIGSTOP'),
    () => process.kill(pid() as number, 'SIGCONT'),
  ]
  it.each<[string, [() => void, () => void]]>([
    ['the last check found a problem, or llama-server is new', away(() => healthy)],
    ["llama-server's socket is gone", away(() => stack.socket)],
    ["the admission proxy's socket is gone", away(() => stack.admissionSocket)],
    ['llama-server is stopped by a signal', stopped(() => stack.llamaPid())],
    ["the admission proxy's master is stopped", stopped(() => stack.admissionPid())],
    ["the admission proxy's worker is stopped", stopped(() => stack.admissionWorkers()[0])],
    ['one of several workers of the edge proxy is stopped', stopped(() => stack.workers().at(-1))],
  ])('%s', async (_, [harm, undo]) => {
    harm()
    try {
      expect(look()).toMatch(/^watchdog\n/)
    } finally {
      undo()
    }
    await expect.poll(look, { timeout: 20_000 }).toBe(noCall)
  })

  it('requests are waiting, but nothing is computed', async () => {
    const socket = connect(stack.socket)
    socket.write('POST /completion HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{')
    await sleep(200)
    expect(look()).toContain(callsExecutable)
    socket.destroy()
    await expect.poll(look, { timeout: 20_000 }).toBe(noCall)
  })

  it('a tool that it needs is missing', () => {
    const env = { PATH: '/nowhere' }
    expect(execFileSync('/bin/sh', [script], { encoding: 'utf8', env })).toBe(
      `${callsExecutable}${updatesReadiness}`,
    )
  })
})

describe('has READY and the message of the day updated', () => {
  afterEach(() => {
    show('serving')
    rmSync(join(stack.root, 'run/unavailable'), { force: true })
  })

  it.each([
    ['they say that it does not serve', ['unavailable'], updatesReadiness],
    ['nothing is recorded', [''], updatesReadiness],
    ['the next attempt is due', ['serving', '0'], updatesReadiness],
    ['the next attempt is not due yet', ['serving', '99999999'], noCall],
    ['they say that it serves', ['serving'], noCall],
  ] as [string, [string, string?], string][])('while all is well: %s', (_, shown, calls) => {
    show(...shown)
    expect(look()).toBe(calls)
  })

  it.each([
    ['has written its own message since', () => writeFileSync(message(), 'All set.\n')],
    ['has removed it', () => rmSync(message())],
  ])('if the framework %s', (_, interfere) => {
    show('serving')
    interfere()
    expect(look()).toBe(updatesReadiness)
  })

  it.each([
    ['serving', '', updatesReadiness],
    ['unavailable', '', noCall],
    ['unavailable', '0', updatesReadiness],
  ])('while a reason is recorded, and they say "%s", due at "%s"', (state, due, calls) => {
    show(state, due)
    writeFileSync(join(stack.root, 'run/unavailable'), 'It was stopped.\n')
    expect(look()).toBe(calls)
  })

  it('if the last check found a problem', () => {
    renameSync(healthy, `${healthy}.away`)
    expect(look()).toBe(`${callsExecutable}${updatesReadiness}`)
    renameSync(`${healthy}.away`, healthy)
  })
})

it('calls the executable for an expired certificate, and not for a valid one', () => {
  const chain = join(stack.root, 'run/chain.pem')
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', '/dev/null']
  const request = ['req', '-x509', ...newKey, '-subj', '/CN=x', '-days', '1', '-out', chain]
  execFileSync('openssl', request, { stdio: 'ignore' })
  expect(look()).toBe(noCall)
  const later = `${script}.later`
  writeFileSync(later, readFileSync(script, 'utf8').replace('-checkend 0 ', '-checkend 100000 '))
  expect(execFileSync('sh', [later], { encoding: 'utf8' })).toBe(callsExecutable)
  rmSync(chain)
})
