/** Commands that need root, run by a maintainer who may not be root. */

/** The command itself for root; otherwise through sudo, which may ask for a password on the terminal. */
export const asRoot = (command: string[]): string[] =>
  process.getuid?.() === 0 ? command : ['sudo', '--', ...command]
