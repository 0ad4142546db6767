/** A usage error, for exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Checked by name: in the executable the handlers are a separate bundle, with their own copy of the class. */
export const isUsageError = (error: unknown): error is UsageError =>
  error instanceof Error && error.name === 'UsageError'
