/** The appliance's log: the same lines to standard output and to a file. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { reasonOf } from './failures.ts'
import { plain } from './plain-text.ts'

export type Log = { info(message: string): void; warn(message: string): void; error(message: string): void }

type Level = 'INFO' | 'WARN' | 'ERROR'

/**
 * Lines such as `2026-02-14T10:00:00Z [INFO] …`, one for each line of the message. All but its first are indented: text
 * from outside cannot begin an entry of its own.
 */
export const logLines = (now: Date, level: Level, message: string) =>
  plain(message)
    .trimEnd()
    .split('\n')
    .map((line, index) => `${now.toISOString().slice(0, 19)}Z [${level}] ${index === 0 ? '' : '  '}${line}\n`)
    .join('')

/**
 * A log to standard output and, where `file` is given, to that file (made 0640; its folder 0700, as the framework's).
 * No stage fails for its log: where the file cannot be written, that is said once.
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

/** Returns why that could not be done, as a sentence. */
function append(file: string, lines: string): string | undefined {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    appendFileSync(file, lines, { mode: 0o640 })
    return undefined
  } catch (error) {
    return `The log ${file} cannot be written: ${reasonOf(error)}.`
  }
}
