/** `make bench`: measures side by side and prints ratios. `make bench BENCH=edge` runs one. */
import { script, step } from '../../packer/build/progress.ts'
import { benchBatches } from './batches.ts'
import { benchCompletion } from './completion.ts'
import { benchDepth } from './depth.ts'
import { benchDrafts } from './drafts.ts'
import { benchEdge } from './edge.ts'
import { benchFleet } from './fleet.ts'
import { benchFullContext } from './full-context.ts'
import { benchGoingBack } from './going-back.ts'
import { benchMany } from './many.ts'
import { benchMemory } from './memory.ts'
import { benchNextTokens } from './next-tokens.ts'
import { benchPrompts } from './prompts.ts'
import { benchSpeed } from './speed.ts'

const benches: Record<string, () => Promise<void>> = {
  edge: benchEdge,
  fleet: benchFleet,
  batches: benchBatches,
  speed: benchSpeed,
  completion: benchCompletion,
  depth: benchDepth,
  drafts: benchDrafts,
  memory: benchMemory,
  'next-tokens': benchNextTokens,
  'going-back': benchGoingBack,
  'full-context': benchFullContext,
  many: benchMany,
  prompts: benchPrompts,
}

await script(async () => {
  const chosen = process.argv.slice(2)
  for (const name of chosen)
    if (benches[name] === undefined)
      throw new Error(`no benchmark "${name}"; choose one of: ${Object.keys(benches).join(', ')}`)
  for (const [name, bench] of Object.entries(benches))
    if (chosen.length === 0 || chosen.includes(name)) await step(`Bench: ${name}`, bench)
})
