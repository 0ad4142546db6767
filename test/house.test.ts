/** The import rules between layers, and names of types; see CONTRIBUTING.md. */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, resolve } from 'node:path'
import { expect, it } from 'vitest'

const checkout = resolve(import.meta.dirname, '..')
const files = globSync('{lib,lifecycle}/**/*.ts', { cwd: checkout })

/** What each layer may import, besides itself: other layers, and packages. */
const allowed: Record<string, string[]> = {
  'lib/appliance': ['zod'],
  // Still pure: digests, reading the page's script and style from files, bundling lib/edge.
  'lib/render': ['lib/appliance', 'node:crypto', 'node:fs', 'esbuild'],
  // It runs inside nginx, so what it imports must not import anything else.
  'lib/edge': ['lib/appliance/requests', 'fs'],
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
  lifecycle: ['lib/steps', 'lib/render', 'lib/appliance', 'lib/system', 'node:', 'dotenv', 'package.json'],
}

/** The layer of a file: `lib/steps` for `lib/steps/tls/clock.ts`. */
const layerOf = (path: string) => path.match(/^(lib\/\w+|lifecycle)\//)?.[1] ?? ''

const importsOf = (file: string) =>
  [...readFileSync(join(checkout, file), 'utf8').matchAll(/(?:from|import\()\s*'([^']+)'/g)].map(
    ([, path = '']) => (path.startsWith('.') ? normalize(join(dirname(file), path)) : path),
  )

it('finds files and their imports', () => {
  expect(files.length).toBeGreaterThan(150)
  expect(files.flatMap(importsOf).length).toBeGreaterThan(500)
})

it.each(files)('%s imports only what its layer may', file => {
  const layer = layerOf(file)
  // Steps of different subjects do not import each other: the stage passes values. Stages do not import the command line.
  const isNeighbour = (path: string) =>
    layer === 'lib/steps'
      ? dirname(path) === dirname(file)
      : layerOf(path) === layer && (dirname(file) !== 'lifecycle' || dirname(path) === 'lifecycle')
  const strangers = importsOf(file).filter(
    path => !isNeighbour(path) && !(allowed[layer] ?? []).some(prefix => path.startsWith(prefix)),
  )
  expect(strangers).toEqual([])
})

it('gives each type a name of its own', () => {
  const places = new Map<string, string[]>()
  for (const file of globSync('{lib,lifecycle,packer}/**/*.ts', { cwd: checkout }))
    for (const [, name = ''] of readFileSync(join(checkout, file), 'utf8').matchAll(
      /^(?:export )?(?:type|interface|class) (\w+)/gm,
    ))
      places.set(name, [...(places.get(name) ?? []), file])
  expect(places.size).toBeGreaterThan(100)
  expect([...places].filter(([, files]) => files.length > 1)).toEqual([])
})

it('has no import cycle', () => {
  const graph = new Map(files.map(file => [file, importsOf(file).filter(path => files.includes(path))]))
  const cycles: string[][] = []
  const visited = new Set<string>()
  const walk = (file: string, trail: string[]) => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file])
    if (visited.has(file)) return
    visited.add(file)
    for (const next of graph.get(file) ?? []) walk(next, [...trail, file])
  }
  for (const file of files) walk(file, [])
  expect(cycles).toEqual([])
})
