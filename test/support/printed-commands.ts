/** The commands that our texts tell people to type: in the README, and in whatever the executable prints or writes. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { retryCommand } from '../../lib/appliance/models/choice.ts'
import { configureCommand, contextOption, paths, units } from '../../lib/appliance/paths.ts'
import { type Command, commandOf } from '../../lifecycle/cli/commands.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

export type PrintedCommand = { command: string; from: string }

/** What each ends with when root types it on an appliance that serves; or why the test in the VM does not type it. */
export const expected: Record<string, number | string> = {
  'slm-copilot --version': 0,
  'slm-copilot --help': 0,
  'slm-copilot help': 0,
  'slm-copilot help COMMAND': 0,
  'slm-copilot help plan': 0,
  'slm-copilot COMMAND': 'the form of the others',
  'slm-copilot status': 0,
  'slm-copilot models': 0,
  'slm-copilot clients': 0,
  'slm-copilot clients NAME': 0,
  'slm-copilot plan': 0,
  'slm-copilot plan --memory 32G --cpus 16 --context 128k': 0,
  'slm-copilot plan --check': 0,
  'slm-copilot smoke-test': 0,
  'slm-copilot install': "fetches the production release's 14 GB; the bake runs it with the tests' release",
  'slm-copilot configure --context-file /run/one-context/one_env --dry-run': 0,
  'slm-copilot configure --context-file /run/one-context/one_env': 0,
  'slm-copilot bootstrap': 0,
  // No model has failed there, and it says so; the test of fetched models has one that did.
  'slm-copilot fetch-model --retry': 1,
  'systemctl status slm-copilot slm-copilot-admission nginx': 0,
  'systemctl status slm-copilot.service': 0,
  'systemctl stop slm-copilot-model.service': 0,
  'systemctl try-reload-or-restart nginx.service': 0,
  'systemctl start slm-copilot': 0,
  'journalctl -u slm-copilot': 0,
  'journalctl -u slm-copilot.service': 0,
  'journalctl -u chrony.service': 0,
  'journalctl -k': 0,
  'cat /etc/one-appliance/config': 0,
  'cat /run/slm-copilot-unavailable': 'shell in the banner, where that file is there',
  'df -h': 0,
  lsattr: 'shows nothing in an empty folder; it is named among what may protect a file',
}

/** What the source runs itself, by a host's `$` and `query`. */
const runs = /(?:\$|query)(?:\(\{[^`]*\}\))?`[^`]*`/g

/** Names that stand for one of several. */
export const withNames = (command: string) =>
  command.replace('clients NAME', 'clients cline').replace('help COMMAND', 'help configure')

/** A source's text with what its templates name put in. */
function filled(source: string): string {
  const constants = { configureCommand, contextOption, retryCommand }
  return source.replaceAll(/\$\{(?:(paths|units)\.)?(\w+)\}/g, (whole, group, name) => {
    const known: Record<string, string> = group === 'paths' ? paths : group === 'units' ? units : constants
    return known[name] ?? whole
  })
}

const textOf = (file: string) =>
  filled(readFileSync(join(checkout, file), 'utf8').replaceAll(runs, '').replaceAll('\\`', '`'))

/** Where a command ends at the latest: quotes, brackets, comments, the line. */
const rest = '([^`\'"\\n;()#|&>,]*)'

/** Of the words after `slm-copilot NAME`, those that belong to it; what follows is prose. */
function own({ options, argument }: Command, words: string[]): string[] {
  const taken: string[] = []
  let left = words
  for (;;) {
    const [word = '', ...others] = left
    const option = Object.hasOwn(options, word.slice(2)) ? options[word.slice(2)] : undefined
    const isName = argument !== undefined && taken.length === 0 && /^[A-Z]+$|^[a-z-]+$/.test(word)
    if (!word.startsWith('--') && !isName) return taken
    const length = option?.argument === undefined ? 1 : 2
    taken.push(...left.slice(0, length))
    left = length === 1 ? others : others.slice(1)
  }
}

/** `slm-copilot …` in a text; words that follow its name and are no command come out as they are. */
function ownCommands(text: string): string[] {
  return [...text.matchAll(new RegExp(`(?<![-/\\w.]|status )slm-copilot (?=[a-zA-Z-])${rest}`, 'g'))].map(
    ([, found = '']) => {
      const [name = '', ...words] = found
        .replace(/[.:]+ .*$/, '')
        .trim()
        .replace(/[.:]+$/, '')
        .split(/ +/)
      const command = commandOf(name)
      return ['slm-copilot', name, ...(command === undefined ? [] : own(command, words))].join(' ')
    },
  )
}

/** Those of systemd's programs, and of others that our texts name. */
const foreignCommands = (text: string) =>
  [
    ...text.matchAll(
      new RegExp(
        `(?<![-/\\w])((?:systemctl [a-z]|journalctl -|df -|lsattr|cat /|apt-get [a-z])${rest})`,
        'g',
      ),
    ),
  ]
    .map(([, found = '']) =>
      found
        .replace(/ (says|why|there|then|mount|\$\{).*$/, '')
        .replace(/[.:]+$/, '')
        .trim(),
    )
    // Of the source's own words, not of what it prints.
    .filter(command => !/^systemctl \w+$/.test(command))

const sources = () => ['README.md', ...globSync('{lib,lifecycle}/**/*.ts', { cwd: checkout }).sort()]

/** The commands that a text names. */
export const commandsIn = (text: string) => [...ownCommands(text), ...foreignCommands(text)]

/** Each once, with the first file that says it. */
export function printedCommands(): PrintedCommand[] {
  const found = new Map<string, string>()
  for (const file of sources())
    for (const command of commandsIn(textOf(file))) if (!found.has(command)) found.set(command, file)
  return [...found].map(([command, from]) => ({ command, from }))
}

/** The README's `make` targets. */
export const printedTargets = () =>
  [...textOf('README.md').matchAll(/(?:^|`)make ([a-z-]+)(?= *[`#A-Z])/gm)].map(([, name = '']) => name)
