/** What the appliance proves itself with. */

/** PEM of a certificate (or chain, leaf first) and of its private key. */
export type Pair = { certificate: string; key: string }

/** The VM's own CA, and the leaf under it that nginx serves. */
export type Certificates = { ca: Pair; leaf: Pair }

/** Days that a leaf is valid, and before whose end it is renewed; days of the CA. */
export const validity = { leaf: 90, renewBefore: 30, ca: 3650 } as const
