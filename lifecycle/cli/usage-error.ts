/** A usage error, for exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** By its name: in the executable the handlers are a script of their own, with a class of their own. */
export const isUsageError = (error: unknown): error is UsageError =>
  error instanceof Error && error.name === 'UsageError'
