/** The YAML files, parsed back, compared with the records; and the traps of the repository that they go to. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { variableList, variables } from '../../../lib/appliance/context/variables.ts'
import { wizardGroups, wizardName } from '../../../lib/appliance/context/wizard.ts'
import { catalogue, type Model } from '../../../lib/appliance/models/catalogue.ts'
import { paths, units } from '../../../lib/appliance/paths.ts'
import { oneApps } from '../../../lib/appliance/pins.ts'
import { defaultRequest } from '../../../lib/appliance/sizing/capacity.ts'
import { GiB } from '../../../lib/appliance/sizing/memory.ts'
import { smallestVm } from '../../../lib/appliance/sizing/smallest-vm.ts'
import { description } from '../../../packer/build/marketplace/description.ts'
import { factsOf } from '../../../packer/build/marketplace/facts.ts'
import { folders, marketplaceFiles } from '../../../packer/build/marketplace/files.ts'
import { certificationKey, listing } from '../../../packer/build/marketplace/listing.ts'
import { addService, pullRequest } from '../../../packer/build/marketplace/submission.ts'
import { template } from '../../../packer/build/marketplace/template.ts'
import { parseYaml } from '../../../packer/build/marketplace/yaml.ts'
import { draftFacts, executableDigest, facts, manifest, uploads } from './facts.ts'

const checkout = resolve(import.meta.dirname, '..', '..', '..')
const { files } = marketplaceFiles(facts, path => readFileSync(join(checkout, path), 'utf8'))
const textOf = (path: string) => files.find(file => file.path === path)?.text ?? ''
// biome-ignore lint/suspicious/noExplicitAny: whatever the file holds
const yaml = (name: string): any => parseYaml(textOf(`${folders.appliance}/${name}`))

const shown = yaml(`${listing.uuid}.yaml`)
const metadata = yaml('metadata.yaml')
const names = variableList.map(wizardName)

describe('<UUID>.yaml', () => {
  it('says what the manifest says', () => {
    expect(shown).toMatchObject({
      version: '1.2.3-0-20270228',
      'one-apps_version': oneApps.version,
      publisher_email: 'maintainers@acme.test',
      creation_time: manifest.creationTime,
      'os-id': 'Debian GNU/Linux',
      'os-release': '13',
      'os-arch': 'x86_64',
      hypervisor: 'KVM',
      opennebula_version: '6.10, 7.0',
      format: 'qcow2',
      images: [
        {
          name: 'slm-copilot-1.2.3-0-20270228',
          url: 'https://images.acme.test/slm-copilot.qcow2',
          size: manifest.size,
          checksum: { md5: manifest.md5, sha256: manifest.sha256 },
        },
      ],
    })
  })

  it('has a description with the model, its licence, and where it comes from', () => {
    expect(shown.description).toMatch(/`devstral-small-2` \(in the image: 14\.3 GB, licence Apache-2\.0\)/)
    expect(shown.description).toMatch(/made in France by Mistral AI/)
    const other = factsOf(
      { ...manifest, model: { ...manifest.model, name: 'gpt-oss-20b' } },
      executableDigest,
      uploads,
    )
    expect(description(other)).not.toContain('Mistral')
  })

  it('imports 16 vCPUs, 32 GB and the host’s CPU model, in which the default model fits', () => {
    expect(shown.opennebula_template).toMatchObject({
      vcpu: '16',
      memory: '32768',
      cpu_model: { model: 'host-passthrough' },
    })
    const needed = smallestVm(catalogue['devstral-small-2'] as Model, defaultRequest)
    expect(listing.memory * 1024 * 1024).toBeGreaterThanOrEqual(needed)
    expect(needed).toBeGreaterThan(GiB)
  })

  it('passes the SSH key, the token and each input by name, and reports READY', () => {
    const { network, token, report_ready, set_hostname, ssh_public_key, ...inputs } =
      shown.opennebula_template.context
    expect([network, token, report_ready]).toEqual(['YES', 'YES', 'YES'])
    expect([set_hostname, ssh_public_key]).toEqual(['$NAME', '$USER[SSH_PUBLIC_KEY]'])
    expect(inputs).toEqual(Object.fromEntries(names.map(name => [name.toLowerCase(), `$${name}`])))
  })

  it('orders every input, and has each once, under one of its two names', () => {
    expect(shown.opennebula_template.inputs_order.split(',')).toEqual(names)
    expect(Object.keys(shown.opennebula_template.user_inputs)).toEqual(names.map(name => name.toLowerCase()))
  })

  it.each(variableList)('$name: type, help and options are those of the record', variable => {
    const input: string = shown.opennebula_template.user_inputs[wizardName(variable).toLowerCase()]
    const [mandatory, type, help, options] = input.split('|')
    expect([mandatory, type, help]).toEqual(['O', variable.input, variable.help])
    expect(options).toBe(variable.options?.join(',') ?? ' ')
  })

  it.each([
    ['of the catalogue', 'gpt-oss-20b', Object.keys(catalogue).length],
    ['that is only in the image', 'sentence', Object.keys(catalogue).length + 1],
  ])('offers the models as a list whose default is the one in the image: one %s', (_, model, count) => {
    const input = template(model).user_inputs[wizardName(variables.model).toLowerCase()] ?? ''
    const [, type, , options = '', preset] = input.split('|')
    expect([type, preset]).toEqual(['list', model])
    expect(options.split(',')).toHaveLength(count)
    expect(options.split(',')[0]).toBe(model)
  })

  it('has a title and help for each group', () => {
    const groups = shown.opennebula_template.user_inputs_metadata.filter(
      ({ type }: { type: string }) => type === 'GROUP',
    )
    expect(groups.map(({ name }: { name: string }) => name)).toEqual(Object.keys(wizardGroups))
    for (const { title, description } of groups) expect([title, description].every(Boolean)).toBe(true)
  })

  it('is named after a UUID, which stays', () => {
    expect(listing.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    expect(
      marketplaceFiles(draftFacts, path => readFileSync(join(checkout, path), 'utf8')).files.map(
        ({ path }) => path,
      ),
    ).toEqual(files.map(({ path }) => path))
  })
})

/** As app_handler passes the parameters to `onetemplate instantiate`. */
const passed = () => {
  const { ':prefixed': isPrefixed, ':params': params } = metadata[':app'][':context']
  return Object.fromEntries(
    Object.entries(params).map(([symbol, value]) => [
      `${isPrefixed ? 'ONEAPP_' : ''}${symbol.slice(1)}`,
      value,
    ]),
  )
}

describe('traps', () => {
  it('the parameters reach the appliance under names that it knows', () => {
    expect(passed()).toEqual({ ONEAPP_COPILOT_API_PASSWORD: certificationKey })
  })

  it('and with values that it accepts, and that survive two shells and a list', () => {
    expect(variables.password.value.safeParse(certificationKey)).toMatchObject({ success: true })
    for (const value of Object.values(passed())) expect(value).toMatch(/^[\w-]+$/)
  })

  it('generate_context finds the folder: the name has no underscore', () => {
    const name: string = metadata[':app'][':name']
    expect(folders.appliance).toBe(`appliances/${name.split('_').at(-1)}`)
  })

  it('the Makefile builds from the folder: the name has no digit', () => {
    const target = metadata[':app'][':name'].replace(/[0-9].*/, '')
    expect(folders.packer).toBe(`apps-code/community-apps/packer/${target}`)
    expect(textOf(`${folders.packer}/${target}.pkr.hcl`)).not.toBe('')
  })

  it('the workflow reads name and base with yq, as plain texts', () => {
    expect([metadata[':app'][':name'], metadata[':app'][':os'][':base']]).toEqual(['slm-copilot', 'debian13'])
  })

  it.each([
    ['Ubuntu', '24.04', 'ubuntu2404'],
    ['Debian GNU/Linux', '12', 'debian12'],
  ])('%s %s is the base %s', (id, release, base) => {
    const other = factsOf({ ...manifest, os: { id, release, arch: 'x86_64' } }, undefined, {})
    expect(other.os.base).toBe(base)
  })

  it('the timeout is a text, as an environment variable must be', () => {
    expect(metadata[':one'][':timeout']).toBe('90')
  })

  it('the file of the image that the certification looks for is the one that the Makefile makes', () => {
    expect(yaml('context.yaml')[':tests']['slm-copilot']).toMatchObject({
      ':image_name': 'slm-copilot.qcow2',
      ':microenvs': ['context-kvm'],
    })
    expect(yaml('tests.yaml')).toEqual(['00-slm-copilot_basic.rb'])
  })

  it('no template string contains a double quote or a line break, which OpenNebula does not escape', () => {
    const { description: _, ...inTemplate } = shown
    expect(JSON.stringify(inTemplate.opennebula_template)).not.toMatch(/\\"|\\n/)
  })

  it('the workflow finds the name in the pull request: a line of its own, without a carriage return', () => {
    expect(pullRequest(facts).match(/(?<=^:app: ).*/m)?.[0]).toBe('slm-copilot')
    expect(pullRequest(facts)).toContain('OpenNebula/marketplace-community#123\n')
    expect(files.filter(({ text }) => text.includes('\r'))).toEqual([])
  })

  it('the name is added to the services by one sed command', () => {
    expect(addService).toMatch(/^sed -i '.* slm-copilot\/' apps-code\/community-apps\/Makefile\.config$/)
  })

  it('the certification test names paths and units that the appliance has', () => {
    const text = textOf(`${folders.appliance}/tests/00-slm-copilot_basic.rb`)
    const named = [...text.matchAll(/(?<![\w.{}])\/(?:etc|var|run|opt)\/[\w./-]+/g)].map(([path]) => path)
    const ours = named.filter(path => path !== '/etc/motd')
    expect(ours.length).toBeGreaterThan(2)
    for (const path of ours) expect(Object.values(paths)).toContain(path)
    const [, list = ''] = text.match(/^ *\[(.*)\]\.each do \|service\|/m) ?? []
    const services = [...list.matchAll(/'([\w-]+)'/g)].map(([, name]) => `${name}.service`)
    expect(services).toEqual([units.llama, units.admission, units.nginx])
  })

  it('Packer is told all variables that either version of build.sh passes', () => {
    const declared = textOf(`${folders.packer}/variables.pkr.hcl`)
    for (const name of ['appliance_name', 'distro', 'version', 'input_dir', 'output_dir', 'headless', 'arch'])
      expect(declared).toContain(`variable "${name}" {`)
    expect(declared).toContain(`default = "${executableDigest}"`)
    expect(declared).toContain('export/debian13.qcow2')
  })
})

describe('README.md', () => {
  const text = textOf(`${folders.appliance}/README.md`)

  it('has our own sections, without what concerns only the repository', () => {
    for (const heading of [
      'Quick start',
      'Context variables',
      'Troubleshooting',
      'Security model',
      'Licences',
    ])
      expect(text).toContain(`\n## ${heading}\n`)
    expect(text).not.toMatch(/<!--|marketplace yet|\n\n\n/)
  })

  it('has every variable, and every model', () => {
    for (const { name } of variableList) expect(text).toContain(`| \`${name}\` |`)
    for (const name of Object.keys(catalogue)) expect(text).toContain(`| \`${name}\` |`)
  })

  it('has no link that leads nowhere', () => {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    )
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    expect(links).not.toEqual([])
    expect(links.filter(to => !/^https:/.test(to) && !headings.includes(to.slice(1)))).toEqual([])
  })
})

it('CHANGELOG.md has the changes of our own under the published version and its day', () => {
  const text = textOf(`${folders.appliance}/CHANGELOG.md`)
  expect(text).toContain('\n## [1.2.3-0-20270228] - 2027-02-28\n')
  expect(text).toMatch(/^- .*`make marketplace`/m)
})
