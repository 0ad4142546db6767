/** What a check of `slm-copilot doctor` found. */

export type Finding = {
  /** `warning`: slower or less safe than it could be. `skipped`: does not apply, or could not be checked. */
  state: 'ok' | 'warning' | 'problem' | 'skipped'
  /** What was seen. */
  seen: string
  /** What to do: a command, a line of the VM template, or a sentence. */
  fix?: string
}

export const ok = (seen: string): Finding => ({ state: 'ok', seen })
export const skipped = (seen: string): Finding => ({ state: 'skipped', seen })

const wrong =
  (state: 'warning' | 'problem') =>
  (seen: string, fix?: string): Finding => ({ state, seen, ...(fix !== undefined && { fix }) })

export const warning = wrong('warning')
export const problem = wrong('problem')

/** The notes as one finding; without any, what was seen. */
export const noted = (state: 'warning' | 'problem', notes: string[], seen: string): Finding =>
  notes.length === 0 ? ok(seen) : { state, seen: notes.join(' ') }
