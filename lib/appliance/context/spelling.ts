/** Suggestions for misspelt names. */

/** How many letters must be added, removed or changed to turn one text into the other (Levenshtein). */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1]
    for (const [at, other] of [...b].entries())
      next.push(
        Math.min((row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1, (row[at] ?? 0) + (letter === other ? 0 : 1)),
      )
    row = next
  }
  return row[b.length] ?? 0
}

/** The only known name that begins with `name`, else the nearest if at most a third of it differs. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const begun = known.filter(each => name.length > 1 && each.startsWith(name))
  if (begun.length === 1) return begun[0]
  const [best] = known
    .map(each => ({ each, distance: editDistance(name, each) }))
    .sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= Math.max(1, name.length / 3) ? best.each : undefined
}
