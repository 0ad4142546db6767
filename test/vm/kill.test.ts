/** Stages killed with -9 in the VM: run again they converge, and no service is left running on old inputs. */
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { http } from '../../lib/system/http.ts'
import { makeImage } from './image.ts'
import { waitForContextualization } from './ready.ts'
import { ssh, sshOutput } from './ssh.ts'
import { startVm, stopVm, type Vm } from './vm.ts'

const vmName = 'kill'
const bin = '/opt/one-appliance/bin'

type Context = Record<`ONEAPP_COPILOT_${'PASSWORD' | 'CONTEXT_SIZE' | 'DOMAIN' | 'TLS_ACME_URL'}`, string>

/** Nobody listens there: Let's Encrypt is not to be asked by tests. */
const noAcmeServer = 'https://127.0.0.1:9/dir'

/** Two contexts that differ in all that a service takes up; each kill happens on the way from one to the other. */
const contexts: [Context, Context] = [
  {
    ONEAPP_COPILOT_PASSWORD: 'password-of-one',
    ONEAPP_COPILOT_CONTEXT_SIZE: '2048',
    ONEAPP_COPILOT_DOMAIN: 'one.example.com',
    ONEAPP_COPILOT_TLS_ACME_URL: noAcmeServer,
  },
  {
    ONEAPP_COPILOT_PASSWORD: 'password-of-two',
    ONEAPP_COPILOT_CONTEXT_SIZE: '4096',
    ONEAPP_COPILOT_DOMAIN: 'two.example.com',
    ONEAPP_COPILOT_TLS_ACME_URL: noAcmeServer,
  },
]

/** In place of systemctl: counts the verbs that change something, and kills its caller before or after one of them. */
const killingSystemctl = `#!/bin/bash
case $1 in start|restart|reload|enable|reset-failed|daemon-reload) ;; *) exec /usr/local/lib/systemctl "$@" ;; esac
# Node names its main thread, and with it the process, so it is found by its command line.
stage=/opt/one-appliance/bin/bootstrap
read -r wanted moment < /run/kill
count=$(( $(cat /run/count) + 1 ))
echo $count > /run/count
[ "$count-$moment" = "$wanted-before" ] && pkill -KILL -f "^$stage" && exit 1
/usr/local/lib/systemctl "$@"; code=$?
[ "$count-$moment" = "$wanted-after" ] && pkill -KILL -f "^$stage"
exit $code
`

let vm: Vm
let turn = 0

beforeAll(async () => {
  const image = await makeImage()
  vm = await startVm({ name: vmName, image: image.disk, accelerator: image.accelerator, context: {} })
  expect((await waitForContextualization(vm)).status).toBe('bootstrap_success')
  await sshOutput(vm, 'apt-get -qq update && apt-get -qq install -y strace > /dev/null')
  await sshOutput(
    vm,
    `cp /usr/bin/systemctl /usr/local/lib/systemctl && cat > /usr/local/lib/killing && chmod 755 /usr/local/lib/killing
     echo 0 never > /run/kill; echo 0 > /run/count; mount --bind /usr/local/lib/killing /usr/bin/systemctl`,
    killingSystemctl,
  )
  await settle(next())
})
afterAll(() => stopVm(vmName))

const next = () => contexts[turn++ % 2] as Context
const envFile = (context: Context) =>
  Object.entries(context)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

/** Both stages, undisturbed, on the context in /run/context.env. */
const runBoth =
  'echo 0 never > /run/kill; /opt/one-appliance/bin/configure --context-file /run/context.env && /opt/one-appliance/bin/bootstrap'

const settle = (context: Context) => sshOutput(vm, `cat > /run/context.env; ${runBoth}`, envFile(context))

/** Configures, then kills bootstrap at its `number`th verb of systemctl. Says whether that was reached. */
async function killBootstrap(context: Context, number: number, moment: string): Promise<boolean> {
  const command = `cat > /run/context.env; ${bin}/configure --context-file /run/context.env > /dev/null || exit 1
    echo 0 > /run/count; echo ${number} ${moment} > /run/kill; ${bin}/bootstrap > /dev/null 2>&1`
  return (await ssh(vm, command, envFile(context))).code === 137
}

/** Kills a stage before its `number`th rename. Says whether that was reached. */
async function killAtRename(context: Context, stage: string, number: number): Promise<boolean> {
  const strace = `strace -o /dev/null -e trace=rename -e inject=rename:signal=KILL:when=${number}`
  const first =
    stage === 'bootstrap' ? `${bin}/configure --context-file /run/context.env > /dev/null || exit 1;` : ''
  const command = `cat > /run/context.env; ${first} ${strace} ${bin}/${stage} --context-file /run/context.env > /dev/null 2>&1`
  return (await ssh(vm, command, envFile(context))).code === 137
}

/** What llama-server runs on, what it is to run on, the report, and the CA. */
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
  return (await http({ url: `https://127.0.0.1:${vm.ports.https}/v1/models`, ca, headers, timeout: 60 }))
    .status
}

/** Both stages again: they succeed, and every service runs on this context. */
async function expectConvergence(context: Context) {
  await settle(context)
  const other = contexts.find(one => one !== context) as Context
  const [environment, file, report, ca = ''] = (await sshOutput(vm, look)).split('====\n')
  expect(environment).toBe(file)
  expect(environment).toContain(`PER_SLOT=${context.ONEAPP_COPILOT_CONTEXT_SIZE}\n`)
  expect(report).toContain(`https://${context.ONEAPP_COPILOT_DOMAIN}/v1`)
  expect(await statusWith(context.ONEAPP_COPILOT_PASSWORD, ca)).toBe(200)
  expect(await statusWith(other.ONEAPP_COPILOT_PASSWORD, ca)).toBe(401)
  expect(await certifiedNames()).toContain(context.ONEAPP_COPILOT_DOMAIN)
}

it.each(['configure', 'bootstrap'])('%s killed before each rename', { timeout: 1_800_000 }, async stage => {
  let kills = 0
  for (let number = 1; ; number += 1) {
    const context = next()
    const isKilled = await killAtRename(context, stage, number)
    await expectConvergence(context)
    if (!isKilled) break
    kills += 1
    console.log(`${stage}: converged after a kill before rename ${number}`)
  }
  expect(kills).toBeGreaterThan(1)
})

it.each(['before', 'after'])(
  'bootstrap killed %s each unit’s action',
  { timeout: 1_800_000 },
  async moment => {
    let kills = 0
    for (let number = 1; ; number += 1) {
      const context = next()
      const isKilled = await killBootstrap(context, number, moment)
      await expectConvergence(context)
      if (!isKilled) break
      kills += 1
      console.log(`bootstrap: converged after a kill ${moment} action ${number}`)
    }
    expect(kills).toBeGreaterThan(1)
  },
)
