/** Whether the models that the context names for the services beside chat exist, and do what they are named for. */
import type { CompanionModel } from '../models/companions.ts'
import type { Problem } from '../problems.ts'
import type { CompanionKind } from '../requests/services.ts'
import type { Context } from './context.ts'
import { masked } from './masking.ts'
import { type Variable, variables } from './variables.ts'

export function companionProblems(
  { completion, embeddings }: Pick<Context, 'completion' | 'embeddings'>,
  models: CompanionModel[],
): Problem[] {
  const named = completion === undefined || completion === 'auto' ? [] : [completion]
  return [
    ...wrongNames(variables.completion as Variable, named, ['completion'], models, ['auto', 'NO']),
    ...wrongNames(variables.embeddings as Variable, embeddings, ['embeddings', 'reranking'], models, [
      'YES',
      'NO',
    ]),
  ]
}

/** A problem if a name is unknown, or two are of the same kind. */
function wrongNames(
  { name: variable }: Variable,
  names: string[],
  kinds: CompanionKind[],
  models: CompanionModel[],
  words: string[],
): Problem[] {
  const suitable = models.filter(({ kind }) => kinds.includes(kind))
  const found = names.map(name => suitable.find(model => model.name === name)?.kind)
  if (found.every(kind => kind !== undefined) && new Set(found).size === found.length) return []
  const takes = `one of: ${[...words, ...suitable.map(({ name }) => name)].join(', ')}`
  // An unknown one may be a key.
  const shown = names.map((name, index) => (found[index] === undefined ? masked(name, false) : name))
  return [{ variable, got: shown.join(' '), takes }]
}
