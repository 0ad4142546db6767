/** Stages are killed with SIGKILL: run again, they converge, and no service is left running on old inputs. */
import { connect } from 'node:tls'
import { beforeAll, expect, it } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { http } from '../../lib/system/http.ts'
import type { Machine } from './machine.ts'
import { readyContainer } from './shared.ts'
import { ssh, sshOutput } from './ssh.ts'

const timeout = 1_800_000
const bin = '/opt/one-appliance/bin'

type KillContext = Record<
  `ONEAPP_COPILOT_${'PASSWORD' | 'CONTEXT_SIZE' | 'DOMAIN' | 'TLS_ACME_URL' | 'THREADS'}`,
  string
>

const same = {
  /** Nothing listens there: tests must not contact Let's Encrypt. */
  ONEAPP_COPILOT_TLS_ACME_URL: 'https://127.0.0.1:9/dir',
  ONEAPP_COPILOT_THREADS: '1',
}

/** Two contexts that differ in everything that affects a service; each kill happens between one and the other. */
const from: KillContext = {
  ...same,
  ONEAPP_COPILOT_PASSWORD: 'password-of-one',
  ONEAPP_COPILOT_CONTEXT_SIZE: '2048',
  ONEAPP_COPILOT_DOMAIN: 'one.example.com',
}
const to: KillContext = {
  ...same,
  ONEAPP_COPILOT_PASSWORD: 'password-of-two',
  ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
  ONEAPP_COPILOT_DOMAIN: 'two.example.com',
}

/**
 * Replaces systemctl: kills the stage before or after each action that changes something, once per action, and records
 * which. In the next run, that action succeeds.
 */
const killingSystemctl = `#!/bin/bash
case $1 in start|restart|reload|enable|reset-failed|daemon-reload) ;; *) exec /usr/local/lib/systemctl "$@" ;; esac
# Node names its main thread, and with it the process, so it is found by its command line.
stage=/opt/one-appliance/bin/bootstrap
moment=$(cat /run/kill)
is_next=no
if [ "$moment" != never ] && ! grep -qxF -- "$*" /run/killed; then is_next=yes; echo "$*" >> /run/killed; fi
[ "$is_next-$moment" = yes-before ] && pkill -KILL -f "^$stage" && exit 1
/usr/local/lib/systemctl "$@"; code=$?
[ "$is_next-$moment" = yes-after ] && pkill -KILL -f "^$stage"
exit $code
`

/**
 * Replaces certbot, which takes long to report this. The stage reacts to it in the same way; appliance.test.ts and the
 * integration tests run the real one.
 */
const refusedCertbot = `#!/bin/sh
echo 'ValueError: Requesting 127.0.0.1/dir: Connection refused' >&2
exit 1
`

let vm: Machine

/** The files that bootstrap replaces, in order. */
let renamed: string[]

beforeAll(async () => {
  vm = await readyContainer()
  await sshOutput(vm, 'apt-get -qq update && apt-get -qq install -y strace > /dev/null')
  // The watchdog is not under test.
  await sshOutput(vm, 'systemctl stop slm-copilot-watchdog.timer')
  await replaceProgram('/usr/bin/systemctl', killingSystemctl)
  await replaceProgram('/usr/bin/certbot', refusedCertbot)
  renamed = await settle()
})

/** Has everything run on the first context, as if the second had never been. Returns the files that bootstrap replaces. */
async function settle(): Promise<string[]> {
  // An attempt to get the second context's certificate would be recorded, and not repeated for a while.
  await sshOutput(vm, `echo never > /run/kill; : > /run/killed; rm -f ${paths.attempts}`)
  return runBoth(from)
}

/** From there, configures the second context. */
async function settleAndConfigure(): Promise<void> {
  await settle()
  await sshOutput(vm, `cat > ${environment}; ${bin}/configure --context-file ${environment}`, envFile(to))
}

/** Mounts a script over a program; the original remains available as /usr/local/lib/NAME. */
const replaceProgram = (path: string, text: string) =>
  sshOutput(
    vm,
    `cp ${path} /usr/local/lib/ && f=$(mktemp /usr/local/lib/XXXX) && cat > $f && chmod 755 $f && mount --bind $f ${path}`,
    text,
  )

const environment = '/run/context.env'
const envFile = (context: KillContext) =>
  Object.entries(context)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** Runs both stages undisturbed. Returns the files that bootstrap replaces. */
async function runBoth(context: KillContext): Promise<string[]> {
  const traced = `strace -o /run/renames -e trace=rename ${bin}/bootstrap`
  await sshOutput(
    vm,
    `cat > ${environment}; ${bin}/configure --context-file ${environment} && ${traced}`,
    envFile(context),
  )
  const calls = await sshOutput(vm, 'cat /run/renames')
  return [...new Set([...calls.matchAll(/^rename\(".*\.new", "(.*)"\)/gm)].map(([, path = '']) => path))]
}

/** Runs a stage on the second context. Returns whether it was killed: ssh then exits with 128 + SIGKILL. */
async function isKilled(command: string): Promise<boolean> {
  const { code, stdout } = await ssh(vm, `cat > ${environment}; ${command}`, envFile(to))
  if (code !== 137 && code !== 0) throw new Error(`neither killed nor successful: ${stdout}`)
  return code === 137
}

/**
 * Runs a stage that is killed at a call of rename(2), selected by `which`, an option of strace, and a count. With -D, `$$`
 * is the stage's process ID.
 */
const killAtRename = (command: string, which: string, when: number) =>
  isKilled(
    `sh -c 'exec strace -D -o /dev/null ${which} -e trace=rename -e inject=rename:signal=KILL:when=${when} ${bin}/${command} 2>&1'; exit $?`,
  )

/** Prints the settings of the running llama-server, those in its file, the report, and the CA. */
const look = `tr '\\0' '\\n' < /proc/$(pgrep llama-server)/environ | grep -E "^(LLAMA_ARG|GLIBC)" | sort; echo ====
  sort /etc/slm-copilot/llama-server.env; echo ====; cat /etc/one-appliance/config
  echo ====; cat /etc/ssl/slm-copilot/ca.crt`

const certifiedNames = () =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port: vm.ports.https, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '')
      socket.destroy()
    })
    socket.on('error', reject)
  })

const statusWith = async (key: string, ca: string) => {
  const headers = { authorization: `Bearer ${key}` }
  return (await http({ url: `https://127.0.0.1:${vm.ports.https}/v1/models`, ca, headers, timeout: 300 }))
    .status
}

/** Expects every service to be running on the second context. */
async function expectConverged() {
  const [environment, file, report, ca = ''] = (await sshOutput(vm, look)).split('====\n')
  expect(environment).toBe(file)
  expect(environment).toContain(`PER_SLOT=${to.ONEAPP_COPILOT_CONTEXT_SIZE}\n`)
  expect(report).toContain(`https://${to.ONEAPP_COPILOT_DOMAIN}/v1`)
  expect(await statusWith(to.ONEAPP_COPILOT_PASSWORD, ca)).toBe(200)
  expect(await statusWith(from.ONEAPP_COPILOT_PASSWORD, ca)).toBe(401)
  expect(await certifiedNames()).toContain(to.ONEAPP_COPILOT_DOMAIN)
}

// test/integration/kill.test.ts kills configure at each rename and fsync within seconds, and checks the files and what
// bootstrap would do; here bootstrap does it to real services.
it('configure killed between its renames', { timeout }, async () => {
  await settle()
  expect(await killAtRename(`configure --context-file ${environment}`, '', 8)).toBe(true)
  await runBoth(to)
  await expectConverged()
})

it('bootstrap killed before each rename, run again each time', { timeout }, async () => {
  await settleAndConfigure()
  const killed: string[] = []
  // Each run completes what the previous one was killed at, and is killed at the next file.
  for (const path of renamed) if (await killAtRename('bootstrap', `-P ${path}.$$.new`, 1)) killed.push(path)
  await sshOutput(vm, `${bin}/bootstrap`)
  await expectConverged()
  console.log(`bootstrap: converged after kills before the renames of ${killed.join(', ')}`)
  expect(killed).toEqual(expect.arrayContaining(['/etc/one-appliance/config']))
  expect(killed.length).toBeGreaterThan(3)
})

it.each(['before', 'after'])(
  'bootstrap killed %s each unit’s action, run again each time',
  { timeout },
  async moment => {
    await settleAndConfigure()
    await sshOutput(vm, `echo ${moment} > /run/kill; : > /run/killed`)
    while (await isKilled(`${bin}/bootstrap 2>&1`));
    await expectConverged()
    const killed = (await sshOutput(vm, 'cat /run/killed')).trimEnd().split('\n')
    console.log(`bootstrap: converged after kills ${moment} ${killed.join(', ')}`)
    expect(killed).toEqual(expect.arrayContaining([expect.stringMatching(/^restart slm-copilot\.service/)]))
    expect(killed.length).toBeGreaterThan(3)
  },
)
