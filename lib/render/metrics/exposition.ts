/** Prometheus's text format (prometheus.io/docs/instrumenting/exposition_formats). */

export type MetricType = 'counter' | 'gauge' | 'histogram'
type LabelValues = Record<string, string | number>
/** A value with its labels; `suffix` for the series of a histogram. */
export type Sample = { labels?: LabelValues; value: number; suffix?: string }

const escaped = (text: string) => text.replace(/[\\"\n]/g, found => (found === '\n' ? '\\n' : `\\${found}`))

function labelled(labels: LabelValues): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** A metric with all its samples; an empty text if there is none. */
export const metric = (name: string, type: MetricType, help: string, samples: Sample[]): string =>
  samples.length === 0
    ? ''
    : [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(
          ({ labels = {}, value, suffix = '' }) => `${name}${suffix}${labelled(labels)} ${value}`,
        ),
        '',
      ].join('\n')
