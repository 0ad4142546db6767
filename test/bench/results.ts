/** Prints a benchmark's results, and saves them together with the hardware that they were measured on. */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { llamaTag } from '../mirror/llama-source.ts'

const folder = join(import.meta.dirname, 'results')

/** Measures, prints, and writes `results/<name>.md`. `ours`: the appliance's settings, the baseline of the comparison. */
export async function saveResults(
  name: string,
  title: string,
  ours: Record<string, string>,
  measure: () => Promise<string>,
  model = 'The model has 170 million random weights, 105 MB as Q4_K_M',
): Promise<void> {
  const [at, before] = [new Date(), load()]
  const text = await measure()
  console.log(`\n${text}\n`)
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} CPUs, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`
  const page = `# ${title}

Written by \`make bench BENCH=${name}\` at ${at.toISOString().slice(0, 16)}Z on ${machine} (one NUMA node), llama.cpp ${llamaTag}.
Load average before ${before}, after ${load()}; a load above ${cpus().length} means that the machine was busy with other work.
${model}; times are llama-server's own \`timings\`.

Ours: ${settingsLine(ours)}

${text}
`
  writeFileSync(join(folder, `${name}.md`), page)
  console.log(`  Saved to test/bench/results/${name}.md`)
}

const load = () =>
  loadavg()
    .map(value => value.toFixed(1))
    .join(', ')

/** The settings that affect speed. */
const settingsLine = (ours: Record<string, string>) =>
  Object.entries(ours)
    .filter(([name]) => /THREADS|BATCH|CTX_SIZE|PARALLEL|FLASH|CACHE|REPACK|LOAD|SPEC|PRIO|POLL/.test(name))
    .map(([name, value]) => `\`${name.replace('LLAMA_ARG_', '')}=${value}\``)
    .join(', ')
