/** `make down`: stops the maintainer's VM and forgets its disk. */
import { myVmName } from './mine.ts'
import { findVm, stopVm } from './vm.ts'

const vm = findVm(myVmName)
await stopVm(myVmName)
console.log(
  vm ? 'The VM is stopped and its disk removed. The image stays for the next `make up`.' : 'No VM is there.',
)
