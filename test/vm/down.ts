/** `make down`: stops the maintainer's VM and deletes its disk. */

import { findMachine, stopMachine } from './machine.ts'
import { myVmName } from './mine.ts'

const vm = findMachine(myVmName)
await stopMachine(myVmName)
console.log(
  vm
    ? 'The VM is stopped and its disk deleted. The image is kept for the next `make up`.'
    : 'There is no VM.',
)
