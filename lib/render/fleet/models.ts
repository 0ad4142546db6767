/** The models of a fleet, as a router answers `GET /v1/models` (OpenAI's API). */
import type { Copilot } from '../../appliance/fleet/fleet.ts'
import { paths } from '../../appliance/paths.ts'

/** Each model once. nginx serves this file. */
export const fleetModels = (copilots: Copilot[]) => ({
  path: paths.fleetModels,
  mode: 0o644,
  text: JSON.stringify({
    object: 'list',
    data: [...new Set(copilots.flatMap(({ model, services = {} }) => [model, ...Object.values(services)]))]
      .sort()
      .map(id => ({ id, object: 'model', created: 0, owned_by: 'slm-copilot' })),
  }),
})
