/** Debian's packages: from dpkg's database, and licences from copyright files (Debian policy, 12.5). */
import type { Component } from './components.ts'

/** dpkg-query's format for `packagesFrom`. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own placeholders
export const packageFormat = '${Package}\t${Version}\t${Architecture}\t${db:Status-Status}\n'

type Distribution = { id: string; version: string }

/** The installed packages in dpkg-query's output. `copyrightOf`: a package's copyright file, if it has one. */
export const packagesFrom = (
  output: string,
  { id, version: release }: Distribution,
  copyrightOf: (name: string) => string | undefined,
): Component[] =>
  output
    .split('\n')
    .map(line => line.split('\t'))
    .filter(([, , , status]) => status === 'installed')
    .map(([name = '', version = '', architecture = '']) => {
      const copyright = copyrightOf(name)
      const from = `arch=${architecture}&distro=${id}-${release}`
      return {
        kind: 'debian' as const,
        name,
        version,
        ...(copyright !== undefined && { licence: licenceIn(copyright) }),
        purl: `pkg:deb/${id}/${encodeURIComponent(name)}@${encodeURIComponent(version)}?${from}`,
      }
    })

/** Debian's short names (machine-readable copyright files 1.0, 7.1) that SPDX spells differently. */
const spdx: Record<string, string> = {
  expat: 'MIT',
  mit: 'MIT',
  apache: 'Apache-1.0',
  'apache-2': 'Apache-2.0',
  'apache-2.0': 'Apache-2.0',
  'artistic-2.0': 'Artistic-2.0',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  'cc0-1.0': 'CC0-1.0',
  isc: 'ISC',
  'mpl-1.1': 'MPL-1.1',
  'mpl-2.0': 'MPL-2.0',
  zlib: 'Zlib',
  ...Object.fromEntries(
    ['GPL-1', 'GPL-2', 'GPL-3', 'LGPL-2', 'LGPL-2.1', 'LGPL-3', 'AGPL-3', 'GFDL-1.2', 'GFDL-1.3'].flatMap(
      name => {
        const full = /\.\d$/.test(name) ? name : `${name}.0`
        return [name, full].flatMap(each => [
          [each.toLowerCase(), `${full}-only`],
          [`${each}+`.toLowerCase(), `${full}-or-later`],
        ])
      },
    ),
  ),
}

/** One licence's name as SPDX writes it, or as a reference of our own. */
const spdxName = (name: string) =>
  spdx[name.toLowerCase()] ?? `LicenseRef-Debian-${name.replace(/[^a-z0-9.]+/gi, '-').replace(/^-|-$/g, '')}`

/** What names something between separators. */
const namesIn = (text: string, separator: RegExp) =>
  text
    .split(separator)
    .filter(part => /[a-z0-9]/i.test(part))
    .map(part => part.trim())

/** `GPL-2+ or Artistic, and BSD-3-clause` as an SPDX expression: a comma binds least. */
function expressionOf(synopsis: string): string {
  const parts = namesIn(synopsis, /,|\sand\s/).map(part =>
    namesIn(part, /\sor\s/)
      .map(spdxName)
      .join(' OR '),
  )
  return [...new Set(parts)]
    .map(part => (parts.length > 1 && part.includes(' OR ') ? `(${part})` : part))
    .join(' AND ')
}

/** The licences in a copyright file, all of which hold for some part of the package. */
export function licenceIn(copyright: string): string {
  const stated = [...copyright.matchAll(/^License:[ \t]*(\S.*)/gm)].map(([, synopsis = '']) =>
    expressionOf(synopsis),
  )
  // In free form: the licences that Debian keeps in one place.
  const common = [...copyright.matchAll(/\/usr\/share\/common-licenses\/([\w.+-]*\w)/g)].map(
    ([, name = '']) => (/GPL|GFDL/.test(name) ? `LicenseRef-Debian-${name}` : spdxName(name)),
  )
  const found = [...new Set(stated.length > 0 ? stated : common)].filter(Boolean).sort()
  if (found.length === 0) return 'LicenseRef-Debian-in-copyright-file'
  return found.length === 1
    ? (found[0] ?? '')
    : found.map(each => (/ OR (?![^(]*\))/.test(each) ? `(${each})` : each)).join(' AND ')
}
