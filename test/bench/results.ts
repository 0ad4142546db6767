/** A benchmark's results, printed, and saved together with the hardware that they were measured on. */
import { writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { llamaTag } from '../mirror/llama-source.ts'

const folder = join(import.meta.dirname, 'results')

/** Measures, prints, and writes `results/<name>.md`. `ours`: llama-server's settings that others are compared with. */
export async function keep(
  name: string,
  title: string,
  ours: Record<string, string>,
  measure: () => Promise<string>,
): Promise<void> {
  const [at, before] = [new Date(), load()]
  const text = await measure()
  console.log(`\n${text}\n`)
  const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} CPUs, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`
  const page = `# ${title}

Written by \`make bench BENCH=${name}\` at ${at.toISOString().slice(0, 16)}Z on ${machine} (one NUMA node), llama.cpp ${llamaTag}.
Load average before ${before}, after ${load()}: above ${cpus().length} others were at work.
The model has 170 million random weights, 105 MB as Q4_K_M; times are llama-server's own \`timings\`.

Ours: ${settingsLine(ours)}

${text}
`
  writeFileSync(join(folder, `${name}.md`), page)
  console.log(`  Kept in test/bench/results/${name}.md`)
}

const load = () =>
  loadavg()
    .map(value => value.toFixed(1))
    .join(', ')

/** What of the settings has to do with speed. */
const settingsLine = (ours: Record<string, string>) =>
  Object.entries(ours)
    .filter(([name]) => /THREADS|BATCH|CTX_SIZE|PARALLEL|FLASH|CACHE|REPACK|LOAD|SPEC|PRIO|POLL/.test(name))
    .map(([name, value]) => `\`${name.replace('LLAMA_ARG_', '')}=${value}\``)
    .join(', ')
