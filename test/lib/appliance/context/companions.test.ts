/** Which models the context may name for the services beside chat. */
import { expect, it } from 'vitest'
import { companionProblems } from '../../../../lib/appliance/context/companions.ts'
import { type CompanionModel, companionCatalogue } from '../../../../lib/appliance/models/companions.ts'

const models = Object.values<CompanionModel>(companionCatalogue)
type Named = Parameters<typeof companionProblems>[0]
const naming = (named: Partial<Named>): Named => ({ completion: 'auto', embeddings: [], ...named })
const namesOf = (...kinds: string[]) =>
  models.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name)

it.each<[string, Partial<Named>]>([
  ['nothing', {}],
  ['no completion', { completion: undefined }],
  ['a completion model', { completion: 'qwen2.5-coder-0.5b' }],
  ['embeddings', { embeddings: ['qwen3-embedding-0.6b'] }],
  ['one of each kind', { embeddings: ['nomic-embed-text-v1.5', 'qwen3-reranker-0.6b'] }],
])('takes %s', (_, named) => {
  expect(companionProblems(naming(named), models)).toEqual([])
})

const ofCompletion = {
  variable: 'ONEAPP_COPILOT_COMPLETION',
  takes: `one of: ${['auto', 'NO', ...namesOf('completion')].join(', ')}`,
}
const ofEmbeddings = {
  variable: 'ONEAPP_COPILOT_EMBEDDINGS',
  takes: `one of: ${['YES', 'NO', ...namesOf('embeddings', 'reranking')].join(', ')}`,
}

it.each<[string, Partial<Named>, object[]]>([
  ['an unknown model', { completion: 'zork' }, [{ ...ofCompletion, got: '"zork"' }]],
  [
    'a model of another kind',
    { completion: 'qwen3-reranker-0.6b' },
    [{ ...ofCompletion, got: expect.stringMatching(/^19 characters; long values are not shown/) }],
  ],
  [
    'two of a kind, which are known, and so shown',
    { embeddings: ['qwen3-embedding-0.6b', 'nomic-embed-text-v1.5'] },
    [{ ...ofEmbeddings, got: 'qwen3-embedding-0.6b nomic-embed-text-v1.5' }],
  ],
  [
    'a known and an unknown one',
    { embeddings: ['qwen3-embedding-0.6b', 'zork'] },
    [{ ...ofEmbeddings, got: 'qwen3-embedding-0.6b "zork"' }],
  ],
  [
    'wrong ones for both',
    { completion: 'zork', embeddings: ['blorb'] },
    [
      { ...ofCompletion, got: '"zork"' },
      { ...ofEmbeddings, got: '"blorb"' },
    ],
  ],
])('refuses %s', (_, named, problems) => {
  expect(companionProblems(naming(named), models)).toEqual(problems)
})

it('does not show what may be a key', () => {
  const [problem] = companionProblems(naming({ completion: 'sk-0123456789abcdef0123' }), models)
  expect(problem?.got).toMatch(/^23 characters/)
})
