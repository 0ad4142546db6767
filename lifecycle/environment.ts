/** Parses files with context variables: the one that OpenNebula's agent writes, and those that people write. */
import { parse } from 'dotenv'
import { paths } from '../lib/appliance/paths.ts'
import type { Host } from '../lib/system/host.ts'

/** The agent's file begins with OneGate's token. In others, lines are `NAME=value` or `export NAME="value"`. */
export const parseEnvironment = (text: string): Record<string, string> =>
  text.startsWith('export TOKENTXT="') ? parseAgentFile(text) : parse(text)

/** The VM's current context; empty if the agent has written none. */
export const readContext = (host: Host): Record<string, string> =>
  parseEnvironment(host.files.read(paths.contextFile) ?? '')

/**
 * The agent writes `export NAME="value"` with nothing in the value escaped (one-apps, loc-16-gen-env): each character
 * between the outermost quotes stands for itself. Those are the values that the framework passes to the stages, too,
 * while a shell that read the file would expand `$`. Lines that somebody has added follow the agent's.
 */
function parseAgentFile(text: string): Record<string, string> {
  const entries = text.split(/^export (?=[\w-]+=")/m).slice(1)
  const [last, added] = withoutAddedLines(entries.pop() ?? '')
  return { ...Object.fromEntries([...entries, last].map(parsedEntry)), ...parse(added) }
}

/** Of `NAME="value"` and a line break. */
function parsedEntry(entry: string): [string, string] {
  const start = entry.indexOf('="')
  return [entry.slice(0, start), entry.slice(start + 2).replace(/"?\n?$/, '')]
}

/** Separates the agent's last entry from lines below it that assign something, or are comments or empty. */
function withoutAddedLines(entry: string): [string, string] {
  const start = entry.indexOf('="') + 2
  const lines = entry.slice(start).split('\n')
  let count = lines.length
  while (count > 1 && /^(\w+=|#|$)/.test(lines[count - 1] ?? '')) count -= 1
  // A value may have such lines itself (ONEAPP_COPILOT_KEYS), but ends with a quote.
  while (count < lines.length && !lines[count - 1]?.endsWith('"')) count += 1
  const value = lines.slice(0, count).join('\n')
  return [`${entry.slice(0, start)}${value}`, lines.slice(count).join('\n')]
}
