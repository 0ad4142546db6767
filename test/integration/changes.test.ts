/** The effect of a context change on the services, derived from the files that configure writes. */
import { cpSync, rmSync } from 'node:fs'
import { expect, it, onTestFinished } from 'vitest'
import { paths } from '../../lib/appliance/paths.ts'
import { openHost } from '../../lib/system/host.ts'
import { actionsBetween } from './support/service-actions.ts'
import { configuredFolder, type Options } from './support/stack.ts'

const context = { ONEAPP_COPILOT_PASSWORD: 'password-before', ONEAPP_COPILOT_THREADS: '2' }

/**
 * A folder configured for the context, and a copy of it that is then configured for the changed context, with the models of
 * `options` for services beside chat on the disk.
 */
async function folders(changed: Record<string, string>, options: Options = {}): Promise<[string, string]> {
  const before = await configuredFolder(context)
  // Written by the install stage; it tells configure llama-server's version.
  openHost({ env: {}, root: before }).files.replaceLink(paths.llamaCurrent, `${paths.llamaCurrent}-release`)
  const after = `${before}-after`
  onTestFinished(() => {
    for (const folder of [before, after]) rmSync(folder, { recursive: true, force: true })
  })
  cpSync(before, after, { recursive: true, verbatimSymlinks: true })
  await configuredFolder({ ...context, ...changed }, options, after)
  return [before, after]
}

const reload = { nginx: 'reload' }
it.each([
  ['nothing', {}, {}],
  ['a password', { ONEAPP_COPILOT_PASSWORD: 'password-after-1' }, reload],
  ['a further key', { ONEAPP_COPILOT_KEYS: 'alice=key-of-alice-12345' }, reload],
  ['threads', { ONEAPP_COPILOT_THREADS: '1' }, { llama: 'restart' }],
  // Both proxies limit an answer's duration by the context size, and the edge proxy a request's size.
  [
    'a context size',
    { ONEAPP_COPILOT_CONTEXT_SIZE: '4096' },
    { llama: 'restart', admission: 'restart', ...reload },
  ],
  [
    'conversations at once',
    { ONEAPP_COPILOT_PARALLEL: '1' },
    { llama: 'restart', admission: 'restart', ...reload },
  ],
  ['a domain', { ONEAPP_COPILOT_DOMAIN: 'copilot.example.com' }, reload],
] as const)('%s: %o', async (_, changed, actions) => {
  expect(actionsBetween(...(await folders(changed)))).toEqual(actions)
})

it.each([
  ['completion', 'infill', {}],
  ['embeddings', 'vectors', { ONEAPP_COPILOT_EMBEDDINGS: 'vectors' }],
] as const)(
  '%s beside chat: chat’s streams go on, now and when it is gone',
  async (service, model, changed) => {
    const [without, beside] = await folders(changed, { companions: [model] })
    expect(openHost({ env: {}, root: beside }).files.read(paths.plan)).toContain(`"${model}"`)
    for (const [from, to] of [
      [without, beside],
      [beside, without],
    ] as const)
      expect(actionsBetween(from, to), service).toEqual(reload)
  },
)
