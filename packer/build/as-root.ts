/** Commands that need root, on a machine where the maintainer may not be root. */

/** The command itself for root; otherwise through sudo, which may ask for a password on the terminal. */
export const asRoot = (command: string[]): string[] =>
  process.getuid?.() === 0 ? command : ['sudo', '--', ...command]
