import { expect, it } from 'vitest'
import { countPhysicalCores } from '../../../lib/system/facts.ts'

const cpu = (socket: number, core: number) =>
  `processor\t: 0\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: sse\n`

it.each([
  ['two sockets of two cores', [cpu(0, 0), cpu(0, 1), cpu(1, 0), cpu(1, 1)], 4],
  ['hyper-threads', [cpu(0, 0), cpu(0, 0), cpu(0, 1), cpu(0, 1)], 2],
  ['a text without core ids', ['processor\t: 0\nBogoMIPS\t: 50\n'], undefined],
])('counts cores: %s', (_, blocks, cores) => {
  expect(countPhysicalCores(blocks.join('\n'))).toBe(cores)
})
