import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import parseLicence from 'spdx-expression-parse'
import { describe, expect, it } from 'vitest'
import { parseChecksums } from '../../../../lib/appliance/inventory/checksums.ts'
import type { Component } from '../../../../lib/appliance/inventory/components.ts'
import { licenceIn, packagesFrom } from '../../../../lib/appliance/inventory/debian.ts'
import { componentsIn, sbomText, subjectIn } from '../../../../lib/appliance/inventory/sbom.ts'
import { aboutText } from '../../../../lib/render/text/about.ts'

it.each([
  ['License: Expat\n', 'MIT'],
  ['License: GPL-2+\n text\n\nFiles: x\nLicense: BSD-3-clause\n', 'BSD-3-Clause AND GPL-2.0-or-later'],
  ['License: GPL-2+\n\nLicense: GPL-2+\n', 'GPL-2.0-or-later'],
  ['License: GPL-1+ or Artistic\n', 'GPL-1.0-or-later OR LicenseRef-Debian-Artistic'],
  ['License: GPL-3 or MIT\nLicense: ISC\n', '(GPL-3.0-only OR MIT) AND ISC'],
  ['License: GPL-3 or MIT, and ISC\nLicense: Zlib\n', '(GPL-3.0-only OR MIT) AND ISC AND Zlib'],
  ['License: LGPL-2.1+\n', 'LGPL-2.1-or-later'],
  ['License:MIT\nLicense: \tISC  \n', 'ISC AND MIT'],
  ['License: GPL-2,MIT,  ISC\n', 'GPL-2.0-only AND MIT AND ISC'],
  ['License: GPL-2, and  MIT  and  ISC\n', 'GPL-2.0-only AND MIT AND ISC'],
  ['License: GPL-2  or  MIT\n', 'GPL-2.0-only OR MIT'],
  ['License: (my own)\n', 'LicenseRef-Debian-my-own'],
  ['License: MIT or ..., -\nLicense: ,\n', 'MIT'],
  ['No-License: MIT\n', 'LicenseRef-Debian-in-copyright-file'],
  [
    'in /usr/share/common-licenses/GFDL-1.3, /usr/share/common-licenses/LGPL-2',
    'LicenseRef-Debian-GFDL-1.3 AND LicenseRef-Debian-LGPL-2',
  ],
  ['License: GPL-3+ with GCC exception\n', 'LicenseRef-Debian-GPL-3-with-GCC-exception'],
  ['License: public-domain (see below)\n', 'LicenseRef-Debian-public-domain-see-below'],
  ["See `/usr/share/common-licenses/GPL-2'.", 'LicenseRef-Debian-GPL-2'],
  ['in /usr/share/common-licenses/Apache-2.0. Thanks', 'Apache-2.0'],
  ['Copyright 1999 someone', 'LicenseRef-Debian-in-copyright-file'],
  ['', 'LicenseRef-Debian-in-copyright-file'],
])('licences in %j: %s', (text, licence) => {
  expect(licenceIn(text)).toBe(licence)
  expect(() => parseLicence(licence)).not.toThrow()
})

const dpkg = `nginx\t1.26.3-3+deb13u1\tamd64\tinstalled
libx\t1:2~rc1\tall\tinstalled
gone\t1\tall\tconfig-files
`

it("takes installed packages from dpkg's database", () => {
  const found = packagesFrom(dpkg, { id: 'debian', version: '13' }, name =>
    name === 'nginx' ? 'License: Expat' : undefined,
  )
  expect(found).toEqual([
    {
      kind: 'debian',
      name: 'nginx',
      version: '1.26.3-3+deb13u1',
      licence: 'MIT',
      purl: 'pkg:deb/debian/nginx@1.26.3-3%2Bdeb13u1?arch=amd64&distro=debian-13',
    },
    {
      kind: 'debian',
      name: 'libx',
      version: '1:2~rc1',
      purl: 'pkg:deb/debian/libx@1%3A2~rc1?arch=all&distro=debian-13',
    },
  ])
})

const digest = 'a'.repeat(64)
const components: Component[] = [
  {
    kind: 'llama.cpp',
    name: 'llama.cpp',
    version: 'b1',
    licence: 'MIT',
    commit: '0ad4a86',
    file: { url: 'https://example.com/a.tar.gz', algorithm: 'SHA-256', digest },
  },
  {
    kind: 'model',
    name: 'qwen2.5-coder-3b',
    version: 'f74adce6'.padEnd(40, '0'),
    licence: 'LicenseRef-Qwen-Research',
  },
  { kind: 'model', name: 'sentence', version: 'sha256-aaaaaaaaaaaa' },
  { kind: 'node', name: 'v8', version: '13.6.233.17-node.53', licence: 'BSD-3-Clause' },
  {
    kind: 'npm',
    name: 'node-forge',
    version: '1.4.3',
    licence: 'BSD-3-Clause OR GPL-2.0',
    purl: 'pkg:npm/node-forge@1.4.3',
    file: { algorithm: 'SHA-512', digest: 'b'.repeat(128) },
  },
  ...packagesFrom(dpkg, { id: 'debian', version: '13' }, () => 'License: GPL-2+ or Artistic\n'),
]
const subject = { version: '0.1.0', digest }
const sbom = sbomText({ ...subject, serial: '3e671687-395b-8af5-8c30-d6f4a2d3c1b0' }, components)

describe('the software bill of materials', () => {
  it('is valid CycloneDX', async () => {
    const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
    expect(await validator.validate(sbom)).toBeNull()
    // The validator itself works.
    expect(await validator.validate(sbom.replace('"application"', '"appliance"'))).not.toBeNull()
  })

  it('says what it was made from', () => {
    const expected = components.map(({ file, ...rest }) => rest)
    expect(JSON.parse(JSON.stringify(componentsIn(sbom)))).toEqual(expected)
    expect(subjectIn(sbom)).toEqual(subject)
  })

  it('has the digest of a file beside its address, or else of the package that the purl names', () => {
    const found = (name: string) =>
      JSON.parse(sbom).components.find((each: { name: string }) => each.name === name)
    expect(found('llama.cpp')).toMatchObject({
      externalReferences: [
        {
          type: 'distribution',
          url: 'https://example.com/a.tar.gz',
          hashes: [{ alg: 'SHA-256', content: digest }],
        },
      ],
    })
    expect(found('node-forge').hashes).toEqual([{ alg: 'SHA-512', content: 'b'.repeat(128) }])
    expect(found('v8')).not.toHaveProperty('hashes')
  })

  it.each([
    ['nothing', ''],
    ['what is no JSON', sbom.slice(1)],
    ["another bill's JSON", '{ "bomFormat": "CycloneDX" }'],
  ])('is not read from %s', (_, text) => {
    expect(() => subjectIn(text)).toThrow()
    expect(() => componentsIn(text)).toThrow()
  })

  it('is the same text for the same components, and names each once', () => {
    const { dependencies, components: all } = JSON.parse(sbom)
    const references = all.map((each: { 'bom-ref': string }) => each['bom-ref'])
    expect(new Set(references).size).toBe(components.length)
    expect(dependencies[0].dependsOn).toEqual(references)
    expect(sbom).not.toMatch(/timestamp/)
  })
})

it('about has a line for each component but Debian packages, in 80 columns', () => {
  const text = aboutText({
    version: '0.1.0',
    components,
    sbom: '/usr/share/doc/slm-copilot/sbom.cdx.json',
    notices: undefined,
  })
  expect(text.split('\n').filter(line => line.length > 80)).toEqual([])
  for (const { kind, name } of components) expect(text.includes(` ${name} `)).toBe(kind !== 'debian')
  expect(text).toContain('Debian packages: 2, listed')
  expect(text).toContain('b1 (0ad4a86)')
  expect(text).toMatch(/sentence +sha256-aaaaaaaaaaaa +not stated/)
})

describe('a list of digests', () => {
  const other = 'b'.repeat(64)

  it('has names, in either form of a line', () => {
    const text = `${digest}  slm-copilot\n${other} *my model.gguf\n`
    expect(parseChecksums(text)).toEqual([
      { name: 'slm-copilot', sha256: digest },
      { name: 'my model.gguf', sha256: other },
    ])
  })

  it.each([
    ['nothing', ''],
    ['a digest of another length', `${digest.slice(1)}  x\n`],
    ['a digest in capitals', `${digest.toUpperCase()}  x\n`],
    ['a name with a backslash, which sha256sum marks', `\\${digest}  a\\nb\n`],
    ['a digest without a name', `${digest}  \n`],
    ['one blank', `${digest} x\n`],
  ])('leaves out %s', (_, text) => {
    expect(parseChecksums(text)).toEqual([])
  })
})
