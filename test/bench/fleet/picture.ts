/** Bars in groups, as an SVG. */

const width = 760
const height = 300
const margin = { left: 50, top: 40, bottom: 40 }
const colours = ['#9ca3af', '#60a5fa', '#f59e0b', '#0f766e']

const escaped = (text: string) => text.replace(/[&<>]/g, found => `&#${found.charCodeAt(0)};`)

/** `values[group][series]`: from 0 to 1. */
export function bars(title: string, groups: string[], series: readonly string[], values: number[][]): string {
  const inner = height - margin.top - margin.bottom
  const y = (value: number) => margin.top + inner * (1 - value)
  const groupWidth = (width - margin.left - 10) / groups.length
  const barWidth = (groupWidth * 0.8) / series.length
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    value =>
      `<line x1="${margin.left}" x2="${width - 10}" y1="${y(value)}" y2="${y(value)}" stroke="#e5e7eb"/><text x="${margin.left - 6}" y="${y(value) + 4}" text-anchor="end">${value * 100} %</text>`,
  )
  const drawn = groups.flatMap((group, at) => {
    const left = margin.left + groupWidth * (at + 0.1)
    const label = `<text x="${left + groupWidth * 0.4}" y="${height - 18}" text-anchor="middle">${escaped(group)}</text>`
    return [
      label,
      ...series.map((_, index) => {
        const value = values[at]?.[index] ?? 0
        const x = left + barWidth * index
        return `<rect x="${x.toFixed(1)}" y="${y(value).toFixed(1)}" width="${(barWidth - 2).toFixed(1)}" height="${(inner * value).toFixed(1)}" fill="${colours[index]}"/>`
      }),
    ]
  })
  const legend = series.map(
    (name, index) =>
      `<rect x="${margin.left + 160 * index}" y="22" width="10" height="10" fill="${colours[index]}"/><text x="${margin.left + 14 + 160 * index}" y="31">${escaped(name)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<text x="${margin.left}" y="14" font-weight="bold">${escaped(title)}</text>
${[...grid, ...legend, ...drawn].join('\n')}
</svg>
`
}
