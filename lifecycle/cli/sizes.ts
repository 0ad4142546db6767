/** Parses sizes and numbers from the command line. */
import { shortestContext } from '../../lib/appliance/sizing/limits.ts'
import { GiB, MiB } from '../../lib/appliance/sizing/memory.ts'
import { UsageError } from './usage-error.ts'

/** Throws a UsageError that says what the option takes. */
export function wrong(option: string, got: string, takes: string): never {
  throw new UsageError(`--${option} ${got}: takes ${takes}.`)
}

/** Parses `32G`, `32GiB` or `32768M` to bytes. */
export function memoryFrom(text: string): number {
  const [, number = '', unit = ''] = text.match(/^(\d+(?:\.\d+)?)(G|M)(?:i?B)?$/i) ?? []
  if (number === '') return wrong('memory', text, 'a size in G or M, e.g. 32G')
  return Number(number) * (unit.toUpperCase() === 'G' ? GiB : MiB)
}

/** Parses `131072` or `128k` to tokens. */
export function tokensFrom(text: string): number | 'auto' {
  if (text === 'auto') return 'auto'
  const [, number = '', unit] = text.match(/^(\d{1,9})(k?)$/i) ?? []
  const tokens = Number(number) * (unit === '' ? 1 : 1024)
  return tokens >= shortestContext
    ? tokens
    : wrong('context', text, `tokens, ${shortestContext} or more, e.g. 131072 or 128k, or auto`)
}

/** Parses a positive whole number. */
export function countFrom(option: string, text: string): number {
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : wrong(option, text, 'a whole number, 1 or more')
}
