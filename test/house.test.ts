/** The house's import arrows, as the design draws them. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import { expect, it } from 'vitest'

const checkout = resolve(import.meta.dirname, '..')
const files = globSync('{lib,lifecycle}/**/*.ts', { cwd: checkout })

/** What each room may import, besides itself: other rooms, and packages. */
const allowed: Record<string, string[]> = {
  'lib/appliance': ['zod'],
  // A digest is a pure function of a text.
  'lib/render': ['lib/appliance', 'lib/render/landing-page', 'lib/render/edge', 'node:crypto'],
  // Its script and style are files.
  'lib/render/landing-page': ['node:fs'],
  // Bundles lib/edge.
  'lib/render/edge': ['esbuild'],
  // It runs inside nginx: what it imports imports nothing else.
  'lib/edge': ['lib/appliance/api.ts', 'lib/appliance/request-', 'fs'],
  'lib/system': ['node:', 'zx/'],
  'lib/steps': [
    'lib/render',
    'lib/appliance',
    'lib/system',
    'node:',
    'zod',
    'node-forge',
    '@huggingface/gguf',
  ],
  lifecycle: [
    'lifecycle/cli/input-files.ts',
    'lifecycle/cli/usage-error.ts',
    'lib/steps',
    'lib/render',
    'lib/appliance',
    'lib/system',
    'node:',
    'dotenv',
  ],
  'lifecycle/cli': [
    'lifecycle',
    'lib/steps',
    'lib/render',
    'lib/appliance',
    'lib/system',
    'node:',
    'package.json',
  ],
}

const importsOf = (file: string) =>
  [...readFileSync(join(checkout, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(
    ([, path = '']) => (path.startsWith('.') ? normalize(join(dirname(file), path)) : path),
  )

it.each(files)('%s imports only what its room may', file => {
  const room = dirname(file)
  // Steps do not know each other: the stage passes values.
  const strangers = importsOf(file).filter(
    path =>
      (dirname(path) !== room || room === 'lib/steps') &&
      !(allowed[room] ?? []).some(prefix => path.startsWith(prefix)),
  )
  expect(strangers).toEqual([])
})

it('has no cycle', () => {
  const graph = new Map(files.map(file => [file, importsOf(file).filter(path => files.includes(path))]))
  const cycles: string[][] = []
  const walk = (file: string, trail: string[]) => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file])
    else for (const next of graph.get(file) ?? []) walk(next, [...trail, file])
  }
  for (const file of files) walk(file, [])
  expect(cycles).toEqual([])
})
