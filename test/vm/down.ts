/** `make down`: stops the maintainer's VM and deletes its disk. */
import { myVmName } from './mine.ts'
import { findVm, stopVm } from './vm.ts'

const vm = findVm(myVmName)
await stopVm(myVmName)
console.log(
  vm
    ? 'The VM is stopped and its disk deleted. The image is kept for the next `make up`.'
    : 'There is no VM.',
)
