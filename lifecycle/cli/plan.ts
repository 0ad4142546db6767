/** `slm-copilot plan`: what fits into a VM; on the appliance, the plan compared with the memory in use. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { catalogue, type Model } from '../../lib/appliance/models/catalogue.ts'
import {
  type CompanionModel,
  companionCatalogue,
  companionNames,
} from '../../lib/appliance/models/companions.ts'
import { describedModel, nameFromUrl } from '../../lib/appliance/models/own-model.ts'
import { modelsOf } from '../../lib/appliance/models/release.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { unavailability } from '../../lib/appliance/plan.ts'
import type { CapacityRequest } from '../../lib/appliance/sizing/capacity.ts'
import { gigabyte } from '../../lib/appliance/sizing/expected-speed.ts'
import { usefulContext } from '../../lib/appliance/sizing/limits.ts'
import { memoryInVm } from '../../lib/appliance/sizing/smallest-vm.ts'
import { sizingTable } from '../../lib/render/text/model-tables.ts'
import { type PlanQuestion, planJson, planText } from '../../lib/render/text/plan.ts'
import { comparedMemory, measuredMemory } from '../../lib/steps/llama/memory-check.ts'
import { readModelFile } from '../../lib/steps/models/header.ts'
import { releaseWithOwnModels } from '../../lib/steps/models/own-models.ts'
import { readModelAt } from '../../lib/steps/models/remote-header.ts'
import { readPlan } from '../../lib/steps/plan.ts'
import type { Host } from '../../lib/system/host.ts'
import { countFrom, memoryFrom, tokensFrom, wrong } from './sizes.ts'

/** The options' values as given. */
export type PlanOptions = {
  memory?: string | undefined
  cpus?: string | undefined
  model?: string | undefined
  context?: string | undefined
  users?: string | undefined
  beside?: string | undefined
  bandwidth?: string | undefined
}

/**
 * A model from the appliance's release, the catalogue, or a GGUF file here or at a URL; by default the release's
 * own.
 */
async function modelFrom(host: Host, text: string | undefined): Promise<Model> {
  const own = host.files.read(paths.release) === undefined ? [] : modelsOf(releaseWithOwnModels(host))
  if (text === undefined) return own[0] ?? catalogue['devstral-small-2']
  const known = [...own, ...Object.values<Model>(catalogue)].find(({ name }) => name === text)
  if (known !== undefined) return known
  if (!text.endsWith('.gguf')) {
    const names = Object.keys(catalogue).join(', ')
    return wrong('model', text, `one of ${names}, or a file or URL that ends in .gguf`)
  }
  const isUrl = /^(https?|file):\/\//i.test(text)
  const description = await (isUrl ? readModelAt(host, text) : readModelFile(resolve(text)))
  const wanted = { url: isUrl ? text : pathToFileURL(resolve(text)).href, sha256: '' }
  return describedModel(isUrl ? nameFromUrl(text) : text, wanted, description)
}

/** The requested context size; by default the appliance's default, capped at the model's limit. */
function contextFrom(text: string | undefined, { name, contextLimit }: Model): number | 'auto' {
  if (text === undefined) return Math.min(usefulContext, contextLimit)
  const tokens = tokensFrom(text)
  if (tokens === 'auto' || tokens <= contextLimit) return tokens
  return wrong('context', text, `at most ${contextLimit} tokens with ${name}`)
}

/** Models of the catalogue for services beside chat. */
const besideFrom = (text = ''): CompanionModel[] =>
  text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(
      name =>
        Object.values<CompanionModel>(companionCatalogue).find(model => model.name === name) ??
        wrong('beside', text, `names of models, separated by commas: ${companionNames.join(', ')}`),
    )

async function questionFrom(host: Host, options: PlanOptions): Promise<PlanQuestion> {
  const facts = host.facts()
  const model = await modelFrom(host, options.model)
  const vmMemory = options.memory === undefined ? undefined : memoryFrom(options.memory)
  const asked: CapacityRequest = {
    contextSize: contextFrom(options.context, model),
    parallel: options.users === undefined ? 'auto' : countFrom('users', options.users),
    threads: 0,
  }
  return {
    model,
    vmMemory,
    ...(vmMemory === undefined ? { memory: facts.memory, cpu: facts.cpu } : { memory: memoryInVm(vmMemory) }),
    cores: options.cpus === undefined ? facts.physicalCores : countFrom('cpus', options.cpus),
    asked,
    beside: besideFrom(options.beside),
    bandwidth:
      options.bandwidth === undefined ? undefined : countFrom('bandwidth', options.bandwidth) * gigabyte,
  }
}

/** The plan as text or JSON. Throws if an option is invalid, or the model does not fit. */
export async function planned(host: Host, options: PlanOptions, asJson: boolean): Promise<string> {
  const question = await questionFrom(host, options)
  return asJson ? planJson(question) : planText(question)
}

/** The table of sizes, as in lib/MODELS.md. */
export const table = sizingTable

/** Compares llama-server's memory with the plan. Throws if it uses more than planned, or is not running. */
export async function checked(host: Host): Promise<string> {
  const plan = readPlan(host)
  if (plan.state === 'routing') throw new Error('This VM is a router: it serves no model.')
  if (plan.state !== 'serving') throw new Error(unavailability(plan))
  const { isWithin, text } = comparedMemory(plan.capacity, await measuredMemory(host))
  if (!isWithin) throw new Error(text)
  return `${text}\n`
}
