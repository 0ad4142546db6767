/** The maintainer's own VM, for make up, ssh, logs, stage and down. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'dotenv'
import type { ContextVariables } from '../../packer/build/context-disk.ts'
import { findMachine, isRunning, type Machine } from './machine.ts'

export const myVmName = 'mine'
export const myPorts = { ssh: 2222, https: 8443, http: 8080 }

/** The running VM; without one, says how to start it and exits. */
export function myVm(): Machine {
  const vm = findMachine(myVmName)
  if (vm && isRunning(vm)) return vm
  console.error('No VM is running. Start one with `make up`.')
  process.exit(1)
}

/** The variables in the checkout's `.env`, if that file exists. */
export function myContext(): ContextVariables {
  const path = join(import.meta.dirname, '..', '..', '.env')
  return existsSync(path) ? parse(readFileSync(path)) : {}
}
