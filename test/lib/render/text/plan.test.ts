import { expect, it } from 'vitest'
import { catalogue } from '../../../../lib/appliance/models/catalogue.ts'
import { companionCatalogue } from '../../../../lib/appliance/models/companions.ts'
import { defaultRequest } from '../../../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../../../lib/appliance/sizing/memory.ts'
import { type PlanQuestion, planJson, planText } from '../../../../lib/render/text/plan.ts'

const question: PlanQuestion = {
  model: catalogue['devstral-small-2'],
  memory: 64 * GiB,
  cores: 16,
  asked: defaultRequest,
  beside: [],
}
const { 'qwen2.5-coder-1.5b': completion, 'qwen3-embedding-0.6b': embeddings } = companionCatalogue

it.each([
  ['chat alone', [], 18],
  ['completion beside it', [completion], 21],
  ['completion and embeddings beside it', [completion, embeddings], 22],
])('finds the smallest VM for %s, as text and as JSON', (_, beside, gibibytes) => {
  expect(planText({ ...question, beside })).toMatch(new RegExp(`smallest VM .* ${gibibytes}\\.0 GiB\n`))
  expect(JSON.parse(planJson({ ...question, beside })).smallestVm).toBe(gibibytes * GiB)
})
