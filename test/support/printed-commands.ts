/** The commands that our texts tell users to type: in the documents, and in whatever the executable prints or writes. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { retryCommand } from '../../lib/appliance/models/choice.ts'
import { configureCommand, contextOption, paths, units } from '../../lib/appliance/paths.ts'
import type { Command } from '../../lifecycle/cli/commands/command.ts'
import { commandOf } from '../../lifecycle/cli/commands.ts'

const checkout = resolve(import.meta.dirname, '..', '..')

export type PrintedCommand = { command: string; from: string }

/** Each command's exit code as root on an appliance that is serving, or why the VM test does not run it. */
export const expected: Record<string, number | string> = {
  'slm-copilot --version': 0,
  'slm-copilot --help': 0,
  'slm-copilot help': 0,
  'slm-copilot help COMMAND': 0,
  'slm-copilot help plan': 0,
  'slm-copilot COMMAND': 'a placeholder for the others',
  'slm-copilot status': 0,
  'slm-copilot verify': 0,
  'slm-copilot support-bundle': 0,
  'slm-copilot doctor': 0,
  'slm-copilot usage': 0,
  'slm-copilot usage --since 30d --json': 0,
  'slm-copilot models': 0,
  'slm-copilot about': 0,
  'slm-copilot about --notices': 0,
  'slm-copilot clients': 0,
  'slm-copilot clients NAME': 0,
  'slm-copilot plan': 0,
  'slm-copilot plan --memory 32G --beside qwen2.5-coder-1.5b': 0,
  'slm-copilot plan --memory 32G --cpus 16 --context 128k': 0,
  'slm-copilot plan --check': 0,
  'slm-copilot smoke-test': 0,
  'slm-copilot install':
    "downloads the 14 GB of the production release; the bake runs it with the tests' release",
  'slm-copilot configure --context-file /run/one-context/one_env --dry-run': 0,
  'slm-copilot configure --context-file /run/one-context/one_env': 0,
  'slm-copilot bootstrap': 0,
  'slm-copilot reconfigure': 0,
  'slm-copilot drain': 'ends the service; test/vm/fleet.test.ts runs it',
  'slm-copilot drain --undo': 'test/vm/fleet.test.ts runs it',
  'slm-copilot renew': 0,
  'slm-copilot backends sync': 'is for a router, where a timer runs it',
  'journalctl -u slm-copilot-backends.service': 0,
  'journalctl -u slm-copilot-router.service': 0,
  // Fails because there is no failed model to retry; model.test.ts retries one.
  'slm-copilot fetch-model --retry': 1,
  'slm-copilot upgrade': 'takes a release; test/vm/upgrade.test.ts runs it',
  'slm-copilot upgrade FILE': 'takes a release; test/vm/upgrade.test.ts runs it',
  'slm-copilot upgrade --dry-run': 'takes a release; test/vm/upgrade.test.ts runs it',
  'systemctl disable --now nginx slm-copilot-router slm-copilot-admission slm-copilot': 'ends the appliance',
  'slm-copilot upgrade --rollback': 'test/vm/upgrade.test.ts runs it after an upgrade',
  'systemctl status slm-copilot slm-copilot-admission nginx': 0,
  'systemctl status slm-copilot.service': 0,
  'systemctl stop slm-copilot-companions.service': 0,
  'systemctl stop slm-copilot-model.service': 0,
  'systemctl try-reload-or-restart nginx.service': 0,
  'systemctl start slm-copilot': 0,
  'systemctl daemon-reload': 0,
  'systemctl restart nginx.service': 0,
  'systemctl start --no-block slm-copilot-readiness.service': 0,
  'journalctl -u slm-copilot': 0,
  'journalctl -u slm-copilot.service': 0,
  'journalctl -u slm-copilot-model.service': 0,
  'journalctl -u slm-copilot-companions.service': 0,
  'journalctl -u chrony.service': 0,
  'journalctl -u slm-copilot-syslog.service': 0,
  'journalctl -u slm-copilot-floating-ip.service':
    'test/vm/floating-ip.test.ts: it runs on a router that has a floating address',
  'journalctl -k': 0,
  'cat /etc/one-appliance/config': 0,
  'tail -n 50 /var/log/one-appliance/slm-copilot.log': 0,
  'tail -n 20 /var/log/nginx/slm-copilot.access': 0,
  'cat /run/slm-copilot-unavailable': 'part of the login banner, which runs it if the file exists',
  'df -h': 0,
  lsattr: 'prints nothing in an empty folder; mentioned because attributes can protect a file',
}

/** Commands that the source runs itself, with a host's `$` and `query`. */
const runs = /(?:\$|query)(?:\(\{[^`]*\}\))?`[^`]*`/g

/** Replaces placeholders with real names. */
export const withNames = (command: string) =>
  command.replace('clients NAME', 'clients cline').replace('help COMMAND', 'help configure')

/** Substitutes the constants in a source's template strings. */
function filled(source: string): string {
  const constants = { configureCommand, contextOption, retryCommand }
  return source.replaceAll(/\$\{(?:(paths|units)\.)?(\w+)\}/g, (whole, group, name) => {
    const known: Record<string, string> = group === 'paths' ? paths : group === 'units' ? units : constants
    return known[name] ?? whole
  })
}

const textOf = (file: string) =>
  filled(readFileSync(join(checkout, file), 'utf8').replaceAll(runs, '').replaceAll('\\`', '`'))

/** The rest of a command, up to a quote, bracket, comment or the end of the line. */
const rest = '([^`\'"\\n;()#|&>,]*)'

/** The words after `slm-copilot NAME` that belong to the command; prose may follow. */
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

/** All `slm-copilot …` in a text; a word after the name that is not a command is returned too, so that tests see it. */
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

/** Commands of systemd and other programs. */
const foreignCommands = (text: string) =>
  [
    ...text.matchAll(
      new RegExp(
        `(?<![-/\\w])((?:systemctl [a-z]|journalctl -|df -|lsattr|tail -n|cat /|apt-get [a-z])${rest})`,
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
    // Words in the source's comments, not in its messages.
    .filter(command => !/^systemctl \w+$/.test(command))

const sources = () => [
  'README.md',
  ...globSync('{lib,lifecycle}/*.md', { cwd: checkout, exclude: ['**/README.md'] }).sort(),
  ...globSync('{lib,lifecycle}/**/*.ts', { cwd: checkout }).sort(),
]

/** All commands in a text. */
export const commandsIn = (text: string) => [...ownCommands(text), ...foreignCommands(text)]

/** All commands without duplicates, with the first file that contains each. */
export function printedCommands(): PrintedCommand[] {
  const found = new Map<string, string>()
  for (const file of sources())
    for (const command of commandsIn(textOf(file))) if (!found.has(command)) found.set(command, file)
  return [...found].map(([command, from]) => ({ command, from }))
}

/** The `make` targets in the README. */
export const printedTargets = () =>
  [...textOf('README.md').matchAll(/(?:^|`)make ([a-z-]+)(?= *[`#A-Z])/gm)].map(([, name = '']) => name)
