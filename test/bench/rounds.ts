/** Alternating rounds: each measurement is compared with the baseline just before and just after it. */
import { median } from './measure.ts'

export type Figures = Record<string, number>

/** Ratios of each figure to the baseline, one per round. */
export type Ratios = Record<string, number[]>

const neighbours = 4

/** The median of a figure over all measurements. */
export const medianOf = (all: Figures[], name: string) =>
  median(all.map(figures => figures[name] ?? Number.NaN))

/** Measures the baseline, some others, the baseline again, and so on; returns the ratios, and the baseline's figures. */
export async function takeTurns<T>(
  rounds: number,
  ours: T,
  others: T[],
  measure: (what: T) => Promise<Figures>,
): Promise<{ ours: Figures[]; ratios: Map<T, Ratios> }> {
  const all: Figures[] = []
  const ratios = new Map<T, Ratios>(others.map(other => [other, {}]))
  for (let round = 0; round < rounds; round += 1) {
    // The order alternates, so that gradual changes in the machine's speed favour none.
    const order = round % 2 === 0 ? others : others.toReversed()
    let before = await measure(ours)
    all.push(before)
    for (let at = 0; at < order.length; at += neighbours) {
      const group = order.slice(at, at + neighbours)
      const measured: [T, Figures][] = []
      for (const other of group) measured.push([other, await measure(other)])
      const after = await measure(ours)
      all.push(after)
      for (const [other, figures] of measured)
        for (const [name, value] of Object.entries(figures)) {
          const reference = ((before[name] ?? Number.NaN) + (after[name] ?? Number.NaN)) / 2
          const kept = ratios.get(other) ?? {}
          kept[name] = [...(kept[name] ?? []), value / reference]
        }
      before = after
    }
  }
  return { ours: all, ratios }
}

/** The median and the range of values: `1.02  (0.97 to 1.05)`. */
export function spread(values: number[], digits = 2): string {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(digits)}  (${low.toFixed(digits)} to ${high.toFixed(digits)})`
}
