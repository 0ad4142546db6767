/** Parses the context variables into one typed value; nothing else reads the environment. */
import type * as z from 'zod'
import type { Model } from '../models/catalogue.ts'
import { ContextError, type Problem } from '../problems.ts'
import { masked } from './masking.ts'
import { type Variable, variables } from './variables.ts'

type Records = typeof variables
export type Context = { [K in keyof Records]: Records[K] extends Variable<infer T> ? T : never }
export type Environment = Readonly<Record<string, string | undefined>>

const shown = ({ input, isSecret }: Variable, text: string) =>
  masked(text, input === 'password' || isSecret === true)

/** The text set under either name; empty counts as unset. Two different values are a problem. */
function textOf(variable: Variable, env: Environment): { text?: string; problem?: Problem } {
  const byName = env[variable.name] || undefined
  const byAlias = variable.alias === undefined ? undefined : env[variable.alias] || undefined
  if (byName !== undefined && byAlias !== undefined && byName !== byAlias) {
    const got = `${shown(variable, byName)}, and ${shown(variable, byAlias)} as ${variable.alias}`
    return { problem: { variable: variable.name, got, takes: 'one value: set only one of the two' } }
  }
  const text = byName ?? byAlias
  return text === undefined ? {} : { text }
}

function parseVariable<T>(
  variable: Variable<T>,
  env: Environment,
): { value: T; problem?: Problem | undefined } {
  const { text, problem } = textOf(variable as Variable, env)
  if (text === undefined) return { value: variable.fallback, problem }
  const result = variable.value.safeParse(text)
  if (result.success) return { value: result.data }
  return {
    value: variable.fallback,
    problem: {
      variable: variable.name,
      got: wrong(variable as Variable, text, result.error.issues),
      takes: ruleOf(variable as Variable),
    },
  }
}

/** With an example, unless the rule already lists what is accepted. */
const ruleOf = ({ takes, example, input }: Variable) =>
  example === '' || input === 'boolean' || input === 'list' ? takes : `${takes}, e.g. ${example}`

/** Of one value: somebody may have pasted a whole file. */
const mostProblems = 5

/** What is wrong with a value: its parser's own message if there is one, otherwise the value. */
function wrong(variable: Variable, text: string, issues: z.core.$ZodIssue[]): string {
  const words = issues.filter(({ code }) => code === 'custom').map(({ message }) => message)
  if (words.length === 0) return shown(variable, text)
  const more = words.length > mostProblems ? [`and ${words.length - mostProblems} more`] : []
  return [...words.slice(0, mostProblems), ...more].join('; ')
}

/** A problem for each key that equals the password: the log could not tell whose request it is. */
const sharedKeys = ({ keys, password }: Context): Problem[] =>
  keys
    .map(({ key }, index) => ({ key, number: index + 1 }))
    .filter(({ key }) => key === password)
    .map(({ number }) => ({
      variable: variables.keys.name,
      got: `pair ${number}: the password as its key`,
      takes: 'another key for each',
    }))

/** A problem if the key of the metrics is also one that opens everything. */
const metricsKeyProblems = ({ metricsKey, keys, password }: Context): Problem[] =>
  metricsKey !== undefined && [password, ...keys.map(({ key }) => key)].includes(metricsKey)
    ? [
        {
          variable: variables.metricsKey.name,
          got: `the same as ${metricsKey === password ? variables.password.name : `a key in ${variables.keys.name}`}`,
          takes: 'a key of its own, which opens only the metrics',
        },
      ]
    : []

/** A problem if a router has no key of the fleet, or if that is a developer's, too. */
function fleetKeyProblems({ role, fleetKey, metricsKey, keys, password }: Context): Problem[] {
  const problem = (got: string, takes: string): Problem[] => [
    { variable: variables.fleetKey.name, got, takes },
  ]
  if (fleetKey === undefined)
    return role === 'router' ? problem('nothing', 'the key that the copilots of the fleet were given') : []
  const isTaken = [password, metricsKey, ...keys.map(({ key }) => key)].includes(fleetKey)
  return isTaken ? problem('a key that is also used for something else', 'a key of its own') : []
}

/** What must be the same on both routers, since a client does not learn that the address has moved. */
const sameOnBoth = ['password', 'tlsCertificate', 'tlsKey'] as const

/** Problems if a floating address is for no router, or clients would not accept both routers. */
function floatingAddressProblems(context: Context): Problem[] {
  const { role, floatingAddresses } = context
  const { name } = variables.floatingAddresses
  if (floatingAddresses.length === 0) return []
  if (role !== 'router')
    return [
      {
        variable: name,
        got: floatingAddresses.join(' '),
        takes: `nothing, unless ${variables.role.name} is router`,
      },
    ]
  return sameOnBoth
    .filter(each => context[each] === undefined)
    .map(each => variables[each])
    .map(({ name: missing, takes }) => ({
      variable: missing,
      got: 'nothing',
      takes: `${takes}; the same on both routers, since ${name} is set`,
    }))
}

/** Variables of which both must be set, or neither. */
const pairs = [
  [variables.tlsCertificate, variables.tlsKey],
  [variables.modelUrl, variables.modelSha256],
] as const

const pairProblems = (env: Environment): Problem[] =>
  pairs.flatMap(pair => {
    const isSet = ({ name, alias }: Pick<Variable, 'name' | 'alias'>) =>
      Boolean(env[name] || (alias !== undefined && env[alias]))
    const [missing, other] = isSet(pair[0]) ? [pair[1], pair[0]] : pair
    if (isSet(missing) || !isSet(other)) return []
    return [{ variable: missing.name, got: 'nothing', takes: `${missing.takes}, since ${other.name} is set` }]
  })

/** Whether the requested model exists and supports the requested context. */
function modelProblems(context: Context, models: Model[], baked: Model): Problem[] {
  const model = context.model === undefined ? baked : models.find(({ name }) => name === context.model)
  if (model === undefined) {
    const names = models.map(({ name }) => name).join(', ')
    return [
      {
        variable: variables.model.name,
        got: shown(variables.model as Variable, context.model ?? ''),
        takes: `one of: ${names}`,
      },
    ]
  }
  // The limit of a model by URL is only known once its header has been read: its plan is then shortened.
  const isKnown = context.modelUrl === undefined
  if (!isKnown || context.contextSize === 'auto' || context.contextSize <= model.contextLimit) return []
  const takes = `at most ${model.contextLimit} tokens with ${model.name}`
  return [{ variable: variables.contextSize.name, got: String(context.contextSize), takes }]
}

/**
 * Parses the context from the environment. `models`: those that may be requested; `baked`: the default one;
 * `judge`: finds problems that take more than the text to see. Throws a ContextError with all problems.
 */
export function parseContext(
  env: Environment,
  models: Model[],
  baked: Model,
  judge: (context: Context) => Problem[] = () => [],
): Context {
  const problems: Problem[] = []
  const take = <T>(variable: Variable<T>) => {
    const { value, problem } = parseVariable(variable, env)
    if (problem !== undefined) problems.push(problem)
    return value
  }
  const context: Context = {
    password: take(variables.password),
    keys: take(variables.keys),
    domain: take(variables.domain),
    tlsCertificate: take(variables.tlsCertificate),
    tlsKey: take(variables.tlsKey),
    acmeEmail: take(variables.acmeEmail),
    acmeUrl: take(variables.acmeUrl),
    acmeCa: take(variables.acmeCa),
    contextSize: take(variables.contextSize),
    parallel: take(variables.parallel),
    threads: take(variables.threads),
    model: take(variables.model),
    thinking: take(variables.thinking),
    completion: take(variables.completion),
    embeddings: take(variables.embeddings),
    persistPromptCache: take(variables.persistPromptCache),
    ntpServers: take(variables.ntpServers),
    unattendedUpgrades: take(variables.unattendedUpgrades),
    sharedCache: take(variables.sharedCache),
    modelMirror: take(variables.modelMirror),
    stateDisk: take(variables.stateDisk),
    drainLimit: take(variables.drainLimit),
    modelUrl: take(variables.modelUrl),
    modelSha256: take(variables.modelSha256),
    logFormat: take(variables.logFormat),
    syslog: take(variables.syslog),
    syslogCa: take(variables.syslogCa),
    metricsKey: take(variables.metricsKey),
    role: take(variables.role),
    backends: take(variables.backends),
    fleetKey: take(variables.fleetKey),
    floatingAddresses: take(variables.floatingAddresses),
  }
  problems.push(
    ...sharedKeys(context),
    ...metricsKeyProblems(context),
    ...fleetKeyProblems(context),
    ...floatingAddressProblems(context),
    ...pairProblems(env),
    ...judge(context),
  )
  problems.push(...modelProblems(context, models, baked))
  if (problems.length > 0) throw new ContextError(problems)
  return context
}
