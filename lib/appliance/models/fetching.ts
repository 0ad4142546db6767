/** How the fetching of a model is told, and when it is tried again. */

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

/** The line for login banner and `status`. */
export const fetchLine = (name: string, { act, percent, secondsLeft }: FetchProgress) =>
  `${act === 'downloading' ? 'Fetching' : 'Verifying'} ${name}: ${percent} %${secondsLeft === undefined ? '' : `, ${left(secondsLeft)}`}`

/** Seconds until the next attempt: a quarter of a minute after the first failure, twice that after each, at most an hour. */
export const pauseAfter = (failures: number) => Math.min(15 * 2 ** (failures - 1), 60 * minute)
