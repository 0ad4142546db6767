/** How a model's download and verification are reported, and when a failed download is tried again. */
import { backOff } from '../back-off.ts'

export type FetchProgress = {
  act: 'downloading' | 'verifying'
  percent: number
  secondsLeft?: number | undefined
}

const minute = 60

/** `about 6 min left`, `about 2 h 5 min left`, `less than a minute left`. */
function left(seconds: number): string {
  if (seconds < minute) return 'less than a minute left'
  const minutes = Math.round(seconds / minute)
  if (minutes < 60) return `about ${minutes} min left`
  return `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`
}

const acts = { downloading: 'Downloading', verifying: 'Computing the SHA-256 of' } as const

/** The progress line for login banner and `status`. */
export const fetchLine = (name: string, { act, percent, secondsLeft }: FetchProgress) =>
  `${acts[act]} ${name}: ${percent} %${secondsLeft === undefined ? '' : `, ${left(secondsLeft)}`}`

/** The line for both once the file is downloaded. */
export const verificationLine = (name: string) =>
  `${name} is downloaded; whether it answers is being verified.`

/** Seconds until the next attempt: 15 after the first failure, then doubled each time, at most an hour. */
export const pauseAfter = (failures: number) => backOff(failures, 15, 60 * minute)
