import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { expect, it } from 'vitest'
import { componentsIn } from '../../lib/appliance/inventory/sbom.ts'
import { productionRelease } from '../../lib/appliance/models/release.ts'
import { paths } from '../../lib/appliance/paths.ts'
import { oneApps } from '../../lib/appliance/pins.ts'
import { about, notices } from '../../lifecycle/cli/about.ts'
import { sbom } from '../../lifecycle/sbom.ts'
import { recordedHost } from '../support/recorded-host.ts'

const { model, llamaCpp } = productionRelease

/** A machine after the bake's install. */
function bakedHost(llamaVersion = 'version: 11194 (0ad4a86)\n') {
  const host = recordedHost({}, commandLine => {
    if (commandLine.startsWith('dpkg-query')) return { stdout: 'nginx\t1.26.3-3\tamd64\tinstalled\n' }
    if (commandLine.includes('llama-server')) return { stderr: llamaVersion }
    return { stdout: `${'a'.repeat(64)}  ${paths.executable}\n` }
  })
  const file = (path: string, text: string) => {
    host.files.makeFolder(path.replace(/\/[^/]*$/, ''), 0o755)
    host.files.replace(path, text, 0o644)
  }
  file(paths.release, JSON.stringify(productionRelease))
  file(paths.osRelease, 'ID=debian\nVERSION_ID="13"\n')
  file(`${paths.packageDocuments}/nginx/copyright`, 'License: BSD-2-clause\n')
  file(`${paths.llamaCurrent}/LICENSE`, 'MIT License')
  file(`${paths.llamaCurrent}/LICENSE-other`, 'of another')
  return host
}

it('records llama.cpp, the model, the framework and Debian packages; a second run changes nothing', async () => {
  const host = bakedHost()
  await sbom(host, oneApps.commit)
  const text = host.files.read(paths.sbom) ?? ''
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull()
  expect(componentsIn(text)).toMatchObject([
    { kind: 'llama.cpp', version: llamaCpp.tag, licence: 'MIT', commit: '0ad4a86' },
    {
      kind: 'model',
      name: model.name,
      licence: model.licence,
      purl: expect.stringContaining('pkg:huggingface/unsloth/'),
    },
    { kind: 'framework', name: 'one-apps', version: oneApps.commit, licence: 'Apache-2.0' },
    { kind: 'debian', name: 'nginx', version: '1.26.3-3', licence: 'BSD-2-Clause' },
  ])
  for (const digest of [model.sha256, llamaCpp.archive.sha256, 'a'.repeat(64)]) expect(text).toContain(digest)
  expect(about(host, false)).toContain(`one-apps                ${oneApps.commit.slice(0, 12)}`)
  expect(notices(host)).toMatch(
    /llama\.cpp: LICENSE\n\nMIT License\n=+\nllama\.cpp: LICENSE-other\n\nof another/,
  )

  host.lines.length = 0
  await sbom(host, undefined)
  expect(host.lines.filter(line => /created|updated/.test(line))).toEqual([])
})

it.each([
  ['version: 11194 (0ad4a86)\nbuilt with GNU', '0ad4a86'],
  ['0.00 I srv: initializing\nversion: 0.5.0-dev (build 1, commit 0ad4a86)\n', '0ad4a86'],
  ['0.00.000.830 I version: 0.5.0-dev (build 1, commit 0ad4a86)\nsrv  llama_server: initializing', '0ad4a86'],
  ['version: unknown\n', undefined],
])('the commit of llama.cpp in %j', async (version, commit) => {
  const host = bakedHost(version)
  await sbom(host, undefined)
  expect(componentsIn(host.files.read(paths.sbom) ?? '')[0]?.commit).toBe(commit)
})

it('a damaged bill of materials is named', () => {
  const host = bakedHost()
  host.files.makeFolder(paths.documents, 0o755)
  host.files.replace(paths.sbom, '{}', 0o644)
  expect(() => about(host, false)).toThrow(`${paths.sbom} is damaged`)
})
