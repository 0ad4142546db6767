/** Everything that the documents mention exists: files, folders, npm scripts, make targets, headings. */
import { existsSync, globSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import packageFile from '../package.json' with { type: 'json' }
import packageLock from '../package-lock.json' with { type: 'json' }
import { documents, textOf } from './support/documents.ts'

const checkout = resolve(import.meta.dirname, '..')
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found)

/** GitHub's anchor for a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')

const pathsIn = (text: string) => all(text, /`((?:lib|lifecycle|packer|test|\.github)\/[\w./-]+)`/g)
const linksIn = (text: string) => all(text, /\]\(([^)\s]+)\)/g).filter(link => !/^https?:/.test(link))
const scriptsIn = (text: string) => all(text, /\bnpm run ([a-z:-]+)/g)
const targetsIn = (text: string) => all(text, /`make ([a-z-]+)/g)

it.each([
  ['files', pathsIn],
  ['links', linksIn],
  ['scripts', scriptsIn],
  ['targets', targetsIn],
])('the documents name %s', (_, find) => {
  expect(documents.flatMap(name => find(textOf(name))).length).toBeGreaterThan(10)
})

it.each(documents)('%s names existing files', name => {
  const paths = pathsIn(textOf(name))
  expect(paths.filter(path => !existsSync(join(checkout, path)))).toEqual([])
})

it.each(documents)('%s links to existing files and headings', name => {
  const text = textOf(name)
  const headings = all(text, /^#+ (.*)$/gm).map(anchorOf)
  const isThere = (link: string) =>
    link.startsWith('#')
      ? headings.includes(link.slice(1))
      : existsSync(join(checkout, dirname(name), link.replace(/#.*/, '')))
  expect(linksIn(text).filter(link => !isThere(link))).toEqual([])
})

it.each(documents)('%s names existing scripts and targets', name => {
  const text = textOf(name)
  const targets = all(textOf('Makefile'), /^([a-z-]+):/gm)
  expect(scriptsIn(text).filter(script => !(script in packageFile.scripts))).toEqual([])
  expect(targetsIn(text).filter(target => !targets.includes(target))).toEqual([])
})

/** Those of the trees: a new file or folder is described there. */
it.each([
  ['lib/README.md', ['lib/*/', 'lib/appliance/*/', 'lib/render/*/', 'lib/steps/*/']],
  ['lifecycle/README.md', ['lifecycle/*']],
  ['packer/README.md', ['packer/*', 'packer/build/*']],
  ['test/README.md', ['test/*/']],
])('%s names each file or folder of %j', (name, patterns) => {
  const tree = textOf(name)
  const entries = globSync(patterns, { cwd: checkout }).map(path => basename(path, '.ts'))
  expect(entries.length).toBeGreaterThan(5)
  expect(entries.filter(entry => entry !== 'README.md' && !tree.includes(entry))).toEqual([])
})

it('the documents name existing functions and types', () => {
  const code = globSync('{lib,lifecycle,packer,test}/**/*.{ts,js,json}', { cwd: checkout })
    .map(textOf)
    .join('\n')
  const words = new Set(code.match(/\w+/g))
  const namesIn = (text: string) => text.match(/\b\w*[a-z][A-Z][a-z]\w*/g) ?? []
  const named = documents.flatMap(name => all(textOf(name), /`([^`\n]+)`/g).flatMap(namesIn))
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(word => !words.has(word))).toEqual([])
})

it('the documents name the variables that make tests longer, or repeat them', () => {
  const tests = globSync('test/**/*.test.ts', { cwd: checkout }).map(textOf).join('\n')
  const variables = new Set(all(tests, /Number\(process\.env\.([A-Z_]+)/g))
  expect(variables.size).toBeGreaterThan(8)
  const text = documents.map(textOf).join('\n')
  expect([...variables].filter(name => !text.includes(`\`${name}\``))).toEqual([])
})

/** npm packages that go into the executable: those that are not for development alone. */
const bundled = Object.entries(packageLock.packages as Record<string, { dev?: true; license?: string }>)
  .filter(([path, { dev }]) => path !== '' && dev === undefined)
  .map(([path, { license = '' }]) => ({ name: path.replace(/^.*node_modules\//, ''), licence: license }))

it('the executable contains npm packages', () => {
  expect(bundled.map(({ name }) => name)).toEqual(expect.arrayContaining(['zod', 'zx', 'node-forge']))
})

it.each(bundled)('README.md names the licence of $name, $licence', ({ name, licence }) => {
  const row = textOf('README.md')
    .split('\n')
    .find(line => line.startsWith('|') && line.includes(`\`${name}\``))
  expect(row?.split('|')[2]?.trim()).toBe(licence.replace(/^\((.*)\)$/, '$1'))
})

it('packer/README.md runs the scripts of the bake, in its order', () => {
  const inTemplate = all(textOf('packer/slm-copilot.pkr.hcl'), /"packer\/provision\/([\w-]+\.sh)"/g)
  const byHand = all(textOf('packer/README.md'), /^(?:provision |in_vm .*\/run\/)([\w-]+\.sh)/gm)
  expect(inTemplate.length).toBeGreaterThan(4)
  expect(byHand).toEqual(inTemplate)
})

it("packer/README.md copies the template's files to their places", () => {
  const template = textOf('packer/slm-copilot.pkr.hcl').replaceAll(/direction .*?destination.*?$/gms, '')
  const places = all(template, /destination = "([^"]+)"/g)
  expect(places.length).toBeGreaterThan(5)
  expect(places.filter(place => !textOf('packer/README.md').includes(place))).toEqual([])
})
