/** The models of the services beside chat: which are asked for, which are there, and where the others come from. */
import type { Context } from '../../appliance/context/context.ts'
import type { Model } from '../../appliance/models/catalogue.ts'
import { mirrored, type Release } from '../../appliance/models/release.ts'
import { type Candidate, type Companion, candidatesFor } from '../../appliance/sizing/companions.ts'
import type { Host } from '../../system/host.ts'
import { isVerified } from './model-file.ts'

/** The models that the context asks for. */
export const companionCandidates = (
  host: Host,
  { companions }: Release,
  context: Context,
  chat: Model,
): Candidate[] => candidatesFor(companions, context, chat, model => isVerified(host, model))

/** With the address that its model is downloaded from. */
export const withUrl = (companion: Omit<Companion, 'url'>, mirror: string | undefined): Companion => ({
  ...companion,
  url: mirrored(mirror, companion.capacity.model).url,
})
