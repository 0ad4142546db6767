/** The appliance's log, to standard output and a file. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from './failures.ts'
import { plain } from './plain-text.ts'

export type Log = { info(message: string): void; warn(message: string): void; error(message: string): void }

type Level = 'INFO' | 'WARN' | 'ERROR'

/**
 * Lines such as `2026-02-14T10:00:00Z [INFO] …`, one per line of the message. Continuation lines are
 * indented, so that untrusted text cannot forge a log entry.
 */
export const logLines = (now: Date, level: Level, message: string) =>
  plain(message)
    .trimEnd()
    .split('\n')
    .map((line, index) => `${now.toISOString().slice(0, 19)}Z [${level}] ${index === 0 ? '' : '  '}${line}\n`)
    .join('')

/**
 * A log to standard output and, if given, to a file, created with mode 0640 in a folder with mode 0700, as by
 * the one-apps framework. If the file cannot be written, that is reported once and the stage goes on.
 */
export function openLog(now: () => Date, file?: string): Log {
  let isBroken = false
  const write = (level: Level) => (message: string) => {
    const lines = logLines(now(), level, message)
    process.stdout.write(lines)
    if (file === undefined || isBroken) return
    const problem = append(file, lines)
    if (problem === undefined) return
    isBroken = true
    process.stderr.write(logLines(now(), 'WARN', `${problem} The stage continues without it.`))
  }
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') }
}

/** Appends to the file. Returns why that failed, as a sentence. */
function append(file: string, lines: string): string | undefined {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    appendFileSync(file, lines, { mode: 0o640 })
    return undefined
  } catch (error) {
    return `The log ${file} cannot be written: ${reasonOf(error)}.`
  }
}
