/** No part of a secret is readable by others, whichever variable it was pasted into. */

import { globSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { variableNames } from '../../lib/appliance/context/variables.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { bootstrapAndFetch } from '../../lifecycle/bootstrap.ts'
import { configure } from '../../lifecycle/configure.ts'
import { tinyModel } from '../support/capacity.ts'
import type { RecordedHost } from '../support/recorded-host.ts'
import { servingHost } from '../support/serving-host.ts'

const canary = 'Canary0Canary1Canary2'
const base64 = (text: string) => Buffer.from(text).toString('base64')
/** All substrings of six characters: no part may be disclosed either. */
const pieces = [canary, base64(canary)].flatMap(text =>
  Array.from({ length: text.length - 5 }, (_, index) => text.slice(index, index + 6)),
)
const holdsCanary = (text: string) => pieces.some(piece => text.includes(piece))

const pemOf = (label: string) =>
  `-----BEGIN ${label}-----\n${base64(canary.repeat(5))}\n-----END ${label}-----\n`
const kinds: Record<string, string> = {
  'a key': `sk-${canary}`,
  'a named key': `alice=${canary}`,
  'keys with a comma': `alice=${canary},bob=${canary}x`,
  'a key that is too long': canary.repeat(20),
  'a key and a line break': `${canary}\n${canary}x`,
  'a URL with a password': `https://user:${canary}@mirror.example.com/models`,
  'a URL with a token': `https://mirror.example.com/models?token=${canary}`,
  'a URL that is a key': `https://${canary}`,
  'a private key': pemOf('PRIVATE KEY'),
  'a private key in Base64': base64(pemOf('EC PRIVATE KEY')),
  'a damaged certificate': pemOf('CERTIFICATE'),
  'an e-mail address': `${canary}@${canary}`,
  'control characters': `\u001b]0;${canary}\u0007`,
}

/** All files: whether others than root may access them, and whether they contain the canary. */
function filesOf(host: RecordedHost) {
  const all = globSync('**/*', { cwd: host.root })
    .map(path => `/${path}`)
    .filter(path => lstatSync(join(host.root, path)).isFile())
  return all.map(path => ({
    path,
    isPublic: (lstatSync(join(host.root, path)).mode & 0o077) !== 0,
    holds: holdsCanary(readFileSync(join(host.root, path), 'utf8')),
  }))
}

const unknownNames = ['ONEAPP_COPILOT_PASSWROD', 'ONEAPP_COPILOT_SECRET']
/** All variables at once, since all problems are reported together; and the unknown ones, which only cause a note. */
const environments = [[...variableNames, ...unknownNames], unknownNames].flatMap(names =>
  Object.entries(kinds).map(([kind, value]) => ({
    kind,
    names: names === unknownNames ? 'unknown variables' : 'all variables',
    env: Object.fromEntries(names.map(name => [name, value])),
  })),
)

it.each(environments)('$names set to $kind', async ({ env, names }) => {
  const host = await servingHost({ env }, tinyModel)
  const error = await configure(host).then(
    () => '',
    (error: Error) => error.message,
  )
  expect(error === '').toBe(names === 'unknown variables')
  expect(holdsCanary(`${error}\n${host.lines.join('\n')}\n${host.commands.join('\n')}`)).toBe(false)
  expect(filesOf(host).filter(({ holds }) => holds)).toEqual([])
})

it('writes a valid password and keys only to files that only root can read', async () => {
  const env = {
    ONEAPP_COPILOT_PASSWORD: canary,
    ONEAPP_COPILOT_KEYS: `alice=alice-${canary} bob=bob-${canary}`,
  }
  const host = await servingHost({ env }, tinyModel)
  await configure(host)
  await bootstrapAndFetch(host, paths.report)
  const holding = filesOf(host).filter(({ holds }) => holds)
  expect(holding.map(({ path }) => path).sort()).toEqual(
    [paths.report, paths.edgeConfiguration, paths.password].sort(),
  )
  expect(holding.filter(({ isPublic }) => isPublic)).toEqual([])
  expect(holdsCanary(`${host.lines.join('\n')}\n${host.commands.join('\n')}`)).toBe(false)
  expect(host.files.read(paths.report)?.split('\n').filter(holdsCanary)).toHaveLength(1)
})
