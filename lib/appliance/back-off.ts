/** The pause before another attempt: longer after each failure. */

/** `first` after the first failure in a row, twice that after each further one, `longest` at most; all in one unit. */
export const backOff = (failures: number, first: number, longest: number): number =>
  Math.min(longest, first * 2 ** (failures - 1))
