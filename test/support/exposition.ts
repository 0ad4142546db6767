/** Reads Prometheus's text format, strictly: each metric once, with its help, its type and all its samples. */

type ReadMetric = { type: string; samples: string[] }

const block = /# HELP (\w+) (\w.*\.)\n# TYPE \1 (counter|gauge|histogram)\n((?:\1.* \S+\n)+)/g

/** The metrics in a text by name; throws at whatever else it has. */
export function metricsIn(text: string): Record<string, ReadMetric> {
  const found = [...text.matchAll(block)]
  if (found.map(([all]) => all).join('') !== text) throw new Error(`Not only metrics:\n${text}`)
  const names = found.map(([, name]) => name)
  if (new Set(names).size < names.length) throw new Error(`A metric twice: ${names}`)
  return Object.fromEntries(
    found.map(([, name = '', , type = '', samples = '']) => [
      name,
      { type, samples: samples.trimEnd().split('\n') },
    ]),
  )
}
