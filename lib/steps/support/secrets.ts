/** Every secret on this appliance, so that a support bundle can be searched for them. */
import { variableList } from '../../appliance/context/variables.ts'
import { paths } from '../../appliance/paths.ts'
import type { Host } from '../../system/host.ts'

/**
 * Folders in which files that others may not read hold nothing but secrets: keys, accounts, tokens of DNS
 * providers.
 */
const secretFolders = [paths.tls, paths.certbot]
const secretFiles = [paths.password, paths.fleetKey]

/** Context variables of OpenNebula that tell nothing secret; all others are masked. */
const harmlessNames =
  /^(ETH\d+_\w+|NETWORK|VMID|REPORT_READY|ONEGATE_ENDPOINT|TOKEN|HOSTNAME|SET_HOSTNAME|PATH|LANG)$/

const isSecretVariable = (name: string) =>
  variableList.some(
    ({ name: own, alias, input, isSecret }) =>
      [own, alias].includes(name) && (input === 'password' || isSecret),
  )
const isOwnVariable = (name: string) =>
  variableList.some(({ name: own, alias }) => own === name || alias === name)

/** Whether a context variable's value may be shown; of an unknown variable it may not. */
export const mayBeShown = (name: string): boolean =>
  isOwnVariable(name) ? !isSecretVariable(name) : harmlessNames.test(name)

/** `context`: the variables that OpenNebula has passed. */
export const knownSecrets = (host: Host, context: Record<string, string>): string[] => [
  ...Object.entries(context).flatMap(([name, value]) => (mayBeShown(name) ? [] : wordsIn(value))),
  ...secretFiles.flatMap(path => wordsIn(host.files.read(path) ?? '')),
  ...secretFolders
    .flatMap(folder => filesIn(host, folder))
    .flatMap(path => wordsIn(host.files.read(path) ?? '')),
]

/** The words of a text, the values of its pairs NAME=VALUE, and the text itself. */
function wordsIn(text: string): string[] {
  const words = text.split(/[\s"',;{}]+/)
  const values = words.map(word => /^[\w.-]+[=:](.+)$/.exec(word)?.[1] ?? word)
  return [...new Set([text.trim(), ...words, ...values])].filter(word => !/^(-----\w*|[A-Z]+)$/.test(word))
}

/** All files under a folder that others may not read; links are not followed. */
const filesIn = (host: Host, folder: string): string[] =>
  host.files.list(folder).flatMap(name => {
    const path = `${folder}/${name}`
    const status = host.files.status(path)
    if (status?.isFolder) return filesIn(host, path)
    return status?.isFile && (status.mode & 0o004) === 0 ? [path] : []
  })
