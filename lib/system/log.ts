/** The appliance's log: the same lines to standard output and to a file. */
import { appendFileSync, chmodSync, existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

export type Log = { info(message: string): void; warn(message: string): void; error(message: string): void }

type Level = 'INFO' | 'WARN' | 'ERROR'

/** Lines such as `2026-02-14T10:00:00Z [INFO] …`, one for each line of the message. */
export const logLines = (now: Date, level: Level, message: string) =>
  message
    .trimEnd()
    .split('\n')
    .map(line => `${now.toISOString().slice(0, 19)}Z [${level}] ${line}\n`)
    .join('')

/** A log to standard output and, where `file` is given, to that file (made 0640; its folder 0700, as the framework's). */
export function openLog(now: () => Date, file?: string): Log {
  if (file !== undefined && !existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    appendFileSync(file, '')
    chmodSync(file, 0o640)
  }
  const write = (level: Level) => (message: string) => {
    const lines = logLines(now(), level, message)
    process.stdout.write(lines)
    if (file !== undefined) appendFileSync(file, lines)
  }
  return { info: write('INFO'), warn: write('WARN'), error: write('ERROR') }
}
