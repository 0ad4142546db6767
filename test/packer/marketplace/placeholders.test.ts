import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { factsOf } from '../../../packer/build/marketplace/facts.ts'
import { marketplaceFiles } from '../../../packer/build/marketplace/files.ts'
import {
  instructionOf,
  type Placeholder,
  parseUploads,
  placeholder,
} from '../../../packer/build/marketplace/placeholders.ts'
import { draftFacts, executableDigest, facts, manifest, uploads } from './facts.ts'

const checkout = resolve(import.meta.dirname, '..', '..', '..')
const read = (path: string) => readFileSync(join(checkout, path), 'utf8')

describe('values given', () => {
  it.each([
    ['a placeholder', { IMAGE_URL: placeholder('IMAGE_URL') }],
    ['a placeholder within an address', { IMAGE_URL: `https://acme.test/${placeholder('IMAGE_URL')}` }],
    ['an address without TLS', { IMAGE_URL: 'http://acme.test/x.qcow2' }],
    ['an example', { EXECUTABLE_URL: 'https://www.example.com/slm-copilot' }],
    ['a loopback name', { PROJECT_URL: 'https://localhost:8443/x' }],
    ['a quote, which would end a string in a template', { EXECUTABLE_URL: `https://acme.test/'x` }],
    ['no e-mail address', { PUBLISHER_EMAIL: 'someone' }],
    ['no number', { ISSUE: '#12' }],
  ])('refuses %s', (_, given) => {
    const [[name, text] = []] = Object.entries(given)
    expect(() => parseUploads(given)).toThrow(`${name}=${text} `)
  })

  it('names all problems at once', () => {
    expect(() => parseUploads({ ISSUE: 'x', IMAGE_URL: 'y' })).toThrow(/IMAGE_URL=y .*\n.*ISSUE=x /s)
  })

  it('takes an empty one as not given', () => {
    expect(parseUploads({ ISSUE: '', HOME: '/root' })).toEqual({})
  })
})

describe('placeholders that are left', () => {
  it('none, once everything is known', () => {
    expect(marketplaceFiles(facts, read).left).toEqual([])
  })

  it.each(Object.keys(uploads) as (keyof typeof uploads)[])('%s, if only that is missing', name => {
    const { [name]: _, ...others } = uploads
    expect(marketplaceFiles(factsOf(manifest, executableDigest, others), read).left).toEqual([name])
  })

  it.each([
    ['EXECUTABLE', factsOf(manifest, undefined, uploads)],
    ['IMAGE', factsOf(undefined, executableDigest, uploads)],
  ])('%s, before it has been built', (name, known) => {
    expect(marketplaceFiles(known, read).left).toEqual([name])
  })

  it('each stands in a draft with its instruction, in the YAML beside it', () => {
    const { files, left } = marketplaceFiles(draftFacts, read)
    expect(left).toHaveLength(Object.keys(uploads).length + 2)
    const steps = files.find(({ path }) => path === 'SUBMITTING.md')?.text
    for (const name of left) expect(steps).toContain(`- ${name}: ${instructionOf(name)}`)
    const found = files
      .filter(({ path }) => path.endsWith('.yaml'))
      .flatMap(({ text }) => [...text.matchAll(/^(.*)\n *[\w-]+: REPLACE-WITH-([A-Z_]+)\S*$/gm)])
    expect(found).not.toEqual([])
    for (const [, before, name] of found)
      expect(`${name}: ${before?.trim()}`).toBe(`${name}: # ${instructionOf(name as Placeholder)}`)
  })
})
