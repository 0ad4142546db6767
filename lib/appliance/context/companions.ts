/** Whether the models that the context names for the services beside chat exist, and do what they are named for. */
import type { CompanionModel } from '../models/companions.ts'
import type { Problem } from '../problems.ts'
import type { CompanionKind } from '../requests/services.ts'
import type { Context } from './context.ts'
import { masked } from './masking.ts'
import { variables } from './variables.ts'

/** What a variable may name: models of these kinds, or one of these words. */
type NamedModels = { variable: string; kinds: CompanionKind[]; words: string[] }

const ofCompletion: NamedModels = {
  variable: variables.completion.name,
  kinds: ['completion'],
  words: ['auto', 'NO'],
}
const ofSearch: NamedModels = {
  variable: variables.embeddings.name,
  kinds: ['embeddings', 'reranking'],
  words: ['YES', 'NO'],
}

export function companionProblems(
  { completion, embeddings }: Pick<Context, 'completion' | 'embeddings'>,
  models: CompanionModel[],
): Problem[] {
  const named = completion === undefined || completion === 'auto' ? [] : [completion]
  return [...wrongNames(ofCompletion, named, models), ...wrongNames(ofSearch, embeddings, models)]
}

/** A problem if a name is unknown, or two are of the same kind. */
function wrongNames(
  { variable, kinds, words }: NamedModels,
  names: string[],
  models: CompanionModel[],
): Problem[] {
  const suitable = models.filter(({ kind }) => kinds.includes(kind))
  const found = names.map(name => suitable.find(model => model.name === name)?.kind)
  if (found.every(kind => kind !== undefined) && new Set(found).size === found.length) return []
  const takes = `one of: ${[...words, ...suitable.map(({ name }) => name)].join(', ')}`
  // An unknown name may be a key, pasted into the wrong variable.
  const shown = names.map((name, index) => (found[index] === undefined ? masked(name, false) : name))
  return [{ variable, got: shown.join(' '), takes }]
}
