/** A client's value in an error message: short, on one line, without control characters. */
import { isList, isLongInteger, isObject, type Json, kindOf } from './json.ts'

const longest = 40

export function shown(value: Json | undefined): string {
  if (value === undefined || value === null || isList(value) || isObject(value)) return kindOf(value)
  if (isLongInteger(value)) return value.digits.slice(0, longest)
  if (typeof value !== 'string') return String(value)
  const clean = value.slice(0, longest).replace(/[^ -~]/g, '?')
  return `"${clean}"${value.length > longest ? ` and ${value.length - longest} more characters` : ''}`
}
