/** The names under which a copilot describes itself at OneGate, for people, for OneFlow, and for a router. */

/**
 * None has the name of a context variable: OpenNebula keeps the values that a user entered under these names among
 * the same attributes, and would read ours as the user's at the next change of the context.
 */
export const attributeNames = {
  /** The base URL of the API, as clients use it. */
  api: 'ONEAPP_COPILOT_API',
  model: 'ONEAPP_COPILOT_SERVED_MODEL',
  /** Tokens of each conversation. */
  contextSize: 'ONEAPP_COPILOT_SERVED_CONTEXT',
  slots: 'ONEAPP_COPILOT_SLOTS',
  /** The services beside chat with their models: `completion=NAME embeddings=NAME`, or `none`. */
  services: 'ONEAPP_COPILOT_SERVICES',
  caFingerprint: 'ONEAPP_COPILOT_CA_FINGERPRINT',
  /** The certificate that clients trust, in PEM, in Base64: one line. */
  ca: 'ONEAPP_COPILOT_CA',
  version: 'ONEAPP_COPILOT_VERSION',
} as const

/**
 * Numbers that change while it serves, published once a minute. OneFlow's elasticity policies take the mean over a
 * role's VMs.
 */
export const loadNames = {
  busySlots: 'ONEAPP_COPILOT_SLOTS_BUSY',
  /** Busy slots in percent of all, a whole number. */
  busyPercent: 'ONEAPP_COPILOT_LOAD',
  /** Requests refused because all slots were busy, since the last publication. */
  refused: 'ONEAPP_COPILOT_REFUSED',
} as const

/** `YES` while the VM only finishes the answers in progress; empty otherwise. READY is `NO` meanwhile. */
export const drainingName = 'ONEAPP_COPILOT_DRAINING'
