/** `make ssh`: a shell in the maintainer's VM; `make logs`: its log, followed. */
import { spawnSync } from 'node:child_process'
import { myVm } from './mine.ts'
import { sshOptions } from './ssh.ts'

/** Arguments, if any, are a command to run instead of a shell. */
const command = process.argv.slice(2)
const { status } = spawnSync('ssh', [...sshOptions(myVm()), '-t', 'root@127.0.0.1', ...command], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
