/** What a model file's header says of the model: for the plan, for its chat template, for the report. */
import { shortestContext } from '../sizing/limits.ts'
import type { Model, TemplateName } from './catalogue.ts'
import { type Geometry, geometryOf } from './geometry.ts'
import { countsOf, type Header } from './gguf.ts'

export type Description = {
  /** Bytes of the whole file. */
  size: number
  geometry: Geometry
  /** The context length that the model was trained for, in tokens. */
  contextLimit: number
  /** The appliance's own template, if it suits the model. */
  template?: TemplateName
  /** Whether the file has a template. */
  hasTemplate: boolean
  /** Whether the model thinks before it answers. */
  thinking?: NonNullable<Model['thinking']>
  /** The licence as the file states it. */
  licence?: string
}

/** Throws if the model cannot be planned. */
export function describe(header: Header, size: number): Description {
  const contextLimit = countsOf(header).required('context_length')
  if (contextLimit < shortestContext)
    throw new Error(`its context of ${contextLimit} tokens is shorter than ${shortestContext}`)
  const template = templateFor(header)
  const [licence, thinking] = [licenceIn(header), thinkingIn(header)]
  return {
    size,
    geometry: geometryOf(header),
    contextLimit,
    ...(template !== undefined && { template }),
    hasTemplate: ownTemplateIn(header) !== '',
    ...(thinking !== undefined && { thinking }),
    ...(licence !== undefined && { licence }),
  }
}

const textIn = ({ metadata }: Header, key: string): string => {
  const value = metadata[key]
  return typeof value === 'string' ? value : ''
}

const ownTemplateIn = (header: Header) => textIn(header, 'tokenizer.chat_template')

/**
 * How to recognise a model that was trained with the format of one of the appliance's templates: by its
 * architecture, and by markers that the file's own template has, or lacks.
 */
const templates: Record<TemplateName, TemplateRule> = {
  // Mistral's format since version 13; the one before it has ids in its calls.
  devstral: {
    architectures: ['mistral3', 'llama'],
    has: ['[SYSTEM_PROMPT]', '[AVAILABLE_TOOLS]', '[TOOL_CALLS]', '[ARGS]'],
    lacks: ['[CALL_ID]'],
  },
  'qwen3.5': {
    architectures: ['qwen35', 'qwen35moe'],
    has: ['<|im_start|>', '<tool_call>', '<function=', '<think>', 'enable_thinking'],
    lacks: [],
  },
}
type TemplateRule = { architectures: string[]; has: string[]; lacks: string[] }

/** The appliance's own template that suits the model; undefined if the file's is to be used. */
function templateFor(header: Header): Description['template'] {
  const text = ownTemplateIn(header)
  const names = Object.keys(templates) as (keyof typeof templates)[]
  return names.find(name => {
    const { architectures, has, lacks } = templates[name]
    const isTrained =
      has.every(marker => text.includes(marker)) && !lacks.some(marker => text.includes(marker))
    return architectures.includes(countsOf(header).architecture) && isTrained
  })
}

/** Recognised by an argument of its template, or by gpt-oss's architecture, whose models always think. */
function thinkingIn(header: Header): Description['thinking'] {
  if (countsOf(header).architecture === 'gpt-oss') return 'always'
  return ownTemplateIn(header).includes('enable_thinking') ? 'optional' : undefined
}

/** As printable characters on one line: the file may come from anyone. */
function licenceIn(header: Header): string | undefined {
  const licence = textIn(header, 'general.license')
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, 60)
  return licence === '' ? undefined : licence
}
