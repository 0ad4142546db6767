/**
 * What people see in a terminal, compared with test/lib/render/screens/. After an intended change, `npx vitest run
 * --project unit -u` writes these files anew: read the difference.
 */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { variables } from '../../../lib/appliance/context/variables.ts'
import { ok, problem, skipped, warning } from '../../../lib/appliance/diagnosis/finding.ts'
import type { Component } from '../../../lib/appliance/inventory/components.ts'
import { catalogue, type Model } from '../../../lib/appliance/models/catalogue.ts'
import { companionCatalogue } from '../../../lib/appliance/models/companions.ts'
import { defaultRequest } from '../../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../../lib/appliance/sizing/memory.ts'
import { memoryInVm } from '../../../lib/appliance/sizing/smallest-vm.ts'
import type { Usage } from '../../../lib/appliance/usage/usage.ts'
import { clientConfigurations } from '../../../lib/render/clients/clients.ts'
import { type ClientValues, configurationText } from '../../../lib/render/clients/configuration.ts'
import { type About, aboutJson, aboutText } from '../../../lib/render/text/about.ts'
import { findingText } from '../../../lib/render/text/doctor.ts'
import { companionsText, modelsText } from '../../../lib/render/text/models.ts'
import { type PlanQuestion, planJson, planText } from '../../../lib/render/text/plan.ts'
import { statusText } from '../../../lib/render/text/status.ts'
import { variablesHelp } from '../../../lib/render/text/tables.ts'
import { usageText } from '../../../lib/render/text/usage.ts'
import { tinyModel } from '../../support/capacity.ts'
import { servingStatus } from '../../support/status.ts'

/** Compares texts, each under a title, with a file. */
const expectScreens = (name: string, texts: Record<string, string>) =>
  expect(
    Object.entries(texts)
      .map(([title, text]) => `==== ${title} ====\n${text}`)
      .join('\n'),
  ).toMatchFileSnapshot(join(import.meta.dirname, 'screens', `${name}.txt`))

it('status', async () => {
  await expectScreens('status', {
    serving: statusText(servingStatus),
    'not serving, to a user who may not read everything': statusText({
      ...servingStatus,
      isServing: false,
      problem: 'The model is not downloaded yet, and nothing else is installed that fits.',
      plan: null,
      requests: null,
      unknown: {
        plan: '/etc/slm-copilot/plan.json: permission denied; root may read it.',
        requests: '/var/log/nginx/slm-copilot.access: permission denied; root may read it.',
      },
    }),
  })
})

it('doctor', async () => {
  const check = { name: 'free space in /var', expected: 'at least 10 GiB, and more than a tenth of the disk' }
  await expectScreens('doctor', {
    ok: findingText(check, ok('20 GiB')),
    skipped: findingText(check, skipped('not mounted')),
    'a warning, without anything to do': findingText(check, warning('5 GiB')),
    'a problem': findingText(
      check,
      problem(
        '12 MiB, most of which is the log of one service that is restarted once every second',
        'enlarge the disk in the VM template, then reboot; or delete what is not needed: journalctl --vacuum-size=1G',
      ),
    ),
    'a fix that is not needed': findingText(check, { ...ok('20 GiB'), fix: 'nothing' }),
  })
})

it('plan', async () => {
  const vm = (gibibytes: number, model: Model): PlanQuestion => ({
    model,
    vmMemory: gibibytes * GiB,
    memory: memoryInVm(gibibytes * GiB),
    cores: 16,
    asked: defaultRequest,
    beside: [],
  })
  const here: PlanQuestion = {
    ...vm(32, catalogue['devstral-small-2']),
    vmMemory: undefined,
    cpu: { features: ['amx_tile', 'amx_int8', 'avx512f'] },
    asked: { contextSize: 131_072, parallel: 8, threads: 32 },
    bandwidth: 100e9,
  }
  await expectScreens('plan', {
    'with completion, embeddings and reranking': planText({
      ...vm(32, catalogue['devstral-small-2']),
      beside: [
        companionCatalogue['qwen2.5-coder-1.5b'],
        companionCatalogue['qwen3-embedding-0.6b'],
        companionCatalogue['qwen3-reranker-0.6b'],
      ],
    }),
    'a VM': planText(vm(64, catalogue['devstral-small-2'])),
    'a model with a sliding window': planText(vm(64, catalogue['gpt-oss-20b'])),
    'this machine, which is too small for the request': planText(here),
    'this machine as JSON': planJson({ ...here, model: tinyModel }),
    'a VM as JSON': planJson(vm(1, tinyModel)),
  })
})

it('models', async () => {
  const machine = { cpus: 8, physicalCores: 4, memory: memoryInVm(32 * GiB) }
  const models = [...Object.values(catalogue), tinyModel]
  await expectScreens('models', {
    'none is served': modelsText(models, machine),
    'one is served': modelsText(models, { ...machine, memory: memoryInVm(16 * GiB) }, 'tiny'),
    'models of one’s own': modelsText(
      [
        { ...tinyModel, name: 'licensed', own: { licence: 'MIT', hasTemplate: true } },
        { ...tinyModel, name: 'unlicensed', own: { hasTemplate: true } },
      ],
      machine,
    ),
    'for the services beside chat': companionsText([
      { ...companionCatalogue['qwen2.5-coder-1.5b'], isBaked: true },
      companionCatalogue['qwen3-reranker-0.6b'],
    ]),
    'none for the services beside chat': companionsText([]),
  })
})

it('usage', async () => {
  const row = (changes: Partial<Usage>): Usage => ({
    day: '2026-02-14',
    key: 'alice',
    requests: 12,
    generations: 10,
    generationSeconds: 119.4,
    refused: 2,
    failed: 1,
    wrongKeys: 0,
    ...changes,
  })
  const since = new Date('2026-02-13T10:20:30Z')
  await expectScreens('usage', {
    'nothing yet': usageText([], since),
    'one day': usageText(
      [
        row({}),
        row({ key: 'a-name-of-26-characters-bb', generationSeconds: 120 }),
        row({ key: 'a-name-of-27-characters-bbb', generationSeconds: 7199 }),
        row({ key: null, requests: 7, generations: 0, generationSeconds: 0, refused: 0, failed: 0 }),
      ],
      since,
    ),
    'several days, with totals': usageText(
      [row({ day: '2026-02-13', generationSeconds: 7200 }), row({})],
      since,
    ),
  })
})

it('about', async () => {
  const components: Component[] = [
    { kind: 'debian', name: 'nginx', version: '1.26.3-3', licence: 'BSD-2-Clause' },
    { kind: 'npm', name: 'zod', version: '4.6.7', licence: 'MIT' },
    { kind: 'npm', name: 'unlicensed', version: '1.0.0' },
    {
      kind: 'npm',
      name: 'node-forge',
      version: '1.4.3',
      licence: '(BSD-3-Clause OR GPL-2.0-only) AND LicenseRef-of-considerable-length',
    },
    {
      kind: 'llama.cpp',
      name: 'llama.cpp',
      version: 'v0.5.0',
      commit: 'abcdef0123456789',
      licence: 'MIT',
    },
    { kind: 'framework', name: 'one-apps', version: '0123456789'.repeat(4) },
    { kind: 'npm', name: 'versioned-by-more-than-a-commit', version: `v${'0123456789'.repeat(4)}-1` },
  ]
  const baked: About = {
    version: '1.2.3',
    components,
    sbom: '/usr/share/slm-copilot/sbom.json',
    notices: '/usr/share/doc/slm-copilot',
  }
  const elsewhere: About = {
    version: '1.2.3',
    components: components.slice(1, 2),
    sbom: undefined,
    notices: undefined,
  }
  await expectScreens('about', {
    'an appliance': aboutText(baked),
    'another machine': aboutText(elsewhere),
    'the same as JSON': aboutJson(elsewhere),
  })
})

it('clients', async () => {
  const values = {
    endpoint: '192.0.2.7:8443',
    model: 'devstral-small-2',
    contextSize: 65_536,
    thoughts: 0,
    companions: {},
    key: `it's a "key"`,
    caFile: '/path/to/ca.crt',
  }
  const textsOf = (given: ClientValues) =>
    Object.fromEntries(
      clientConfigurations(given).map(client => [
        `${client.name}, ${given.contextSize} tokens`,
        configurationText(client),
      ]),
    )
  const { 'continue, 4096 tokens': publicCertificate = '' } = textsOf({
    ...values,
    contextSize: 4096,
    key: 'a-key',
    caFile: undefined,
  })
  const companions = {
    completion: 'qwen2.5-coder-1.5b',
    embeddings: { name: 'qwen3-embedding-0.6b', queryPrefix: 'Instruct: …\nQuery: ' },
    reranking: 'qwen3-reranker-0.6b',
  }
  const beside = Object.entries(textsOf({ ...values, companions })).flatMap(([name, text]) =>
    /^(continue|llama|zed|langchain)/.test(name) ? [text] : [],
  )
  const { 'opencode, 65536 tokens': thinking = '' } = textsOf({ ...values, thoughts: 2048 })
  await expectScreens('clients', {
    ...textsOf(values),
    'opencode, with a model that thinks': thinking,
    'continue, with a public certificate and a small context window': publicCertificate,
    'with completion, embeddings and reranking': beside.join('\n'),
  })
})

it('help for context variables', () => {
  const paragraphs = variablesHelp().split(/\n\n(?= {2}\w)/)
  expect(paragraphs).toHaveLength(Object.keys(variables).length)
  expect(paragraphs.filter(text => /^.{81}/m.test(text))).toEqual([])
  const { name, alias, takes, byDefault } = variables.threads
  const [first, second, ...described] = paragraphs.find(text => text.includes(name))?.split('\n') ?? []
  expect([first, second]).toEqual([`  ${name}`, `  or ${alias}`])
  expect(described.at(-1)).toBe(`      Default: ${byDefault}.`)
  expect(described.map(line => line.slice(6)).join(' ')).toContain(` Takes ${takes}. Default: `)
})
