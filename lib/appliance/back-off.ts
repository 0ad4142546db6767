/** The pause before another attempt: longer after each failure. */

/** `first` after one failure, doubled after each further one in a row, at most `longest`; all in one unit. */
export const backOff = (failures: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** (failures - 1))
