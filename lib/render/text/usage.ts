/** The output of `slm-copilot usage`, in 80 columns. */
import { totalsOf, type Usage } from '../../appliance/usage/usage.ts'

const minute = 60

/** `12 s`, `34 min`, `5.6 h`. */
export function duration(seconds: number): string {
  if (seconds < 2 * minute) return `${Math.round(seconds)} s`
  return seconds < 120 * minute
    ? `${Math.round(seconds / minute)} min`
    : `${(seconds / 60 / minute).toFixed(1)} h`
}

/** Widths of the columns after the key: numbers, right-aligned. */
const widths = [8, 8, 8, 8, 7]

const line = (day: string, key: string, numbers: string[]) =>
  `${day.padEnd(10)}  ${key.padEnd(27)}${numbers.map((number, index) => number.padStart(widths[index] ?? 0)).join('')}\n`

/** A name of more than 26 characters is shortened; the JSON has all of it. */
const shortened = (name: string) => (name.length > 26 ? `${name.slice(0, 25)}…` : name)

const rowText = (row: Usage) =>
  row.key === null
    ? line(row.day, '(wrong or missing key)', [String(row.requests), '-', '-', '-', '-'])
    : line(row.day, shortened(row.key), [
        String(row.requests),
        String(row.generations),
        duration(row.generationSeconds),
        String(row.refused),
        String(row.failed),
      ])

/** The table, with the total of each key if there are several days. */
export function usageText(rows: Usage[], since: Date): string {
  const from = `${since.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  if (rows.length === 0) return `No requests since ${from}.\n`
  const days = new Set(rows.map(({ day }) => day))
  return [
    `Requests since ${from}. Time: until the end of each answer.\n\n`,
    line('day', 'key', ['requests', 'answers', 'time', 'refused', 'failed']),
    ...rows.map(rowText),
    ...(days.size > 1 ? ['\n', ...totalsOf(rows).map(rowText)] : []),
  ].join('')
}
