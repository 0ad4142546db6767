/** What the framework sources, run as the framework does. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { shim } from '../../../../lib/render/text/shim.ts'

/** One stage: under a lock that does not wait, its output read by another process, which takes a second to end. */
const stage = (body: string) => `flock --exclusive --nonblock lock bash -c '
set -e
. ./appliance.sh
trap service_cleanup EXIT
mknod pipe p
(cat >> log; sleep 1) < pipe &
exec 3>&1 > pipe
rm pipe
${body}
exec >&3 3>&-
'`

it.each([
  [
    'the next stage gets the lock that the log of the one before has kept',
    'echo one',
    'echo two',
    'one\ntwo\n',
  ],
  ['a stage that fails ends at once, and none follows', 'echo one; false', 'echo two', 'one\n'],
])('%s', (_, first, second, log) => {
  const cwd = mkdtempSync(join(tmpdir(), 'slm-copilot-shim-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'appliance.sh'), shim('1.0.0'))
  const script = `${stage(first)} && ${stage(second)}\nsleep 1; cat log`
  expect(execFileSync('bash', ['-c', script], { cwd, encoding: 'utf8' })).toBe(log)
})
