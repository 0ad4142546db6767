/** Headers from a router to a copilot, which believes them only if the fleet's key is presented with them. */
export const fleetHeaders = {
  /** The name of the client's key. */
  tenant: { name: 'X-Copilot-Fleet-Tenant', variable: '$http_x_copilot_fleet_tenant' },
  /** What separates the tenant's cached prompts; the router derives it from the key, which it keeps to itself. */
  salt: { name: 'X-Copilot-Fleet-Salt', variable: '$http_x_copilot_fleet_salt' },
  /** The request's id in both machines' logs. */
  id: { name: 'X-Request-Id', variable: '$http_x_request_id' },
  /** In a copilot's answer: the services beside chat that it has. */
  services: { name: 'X-Copilot-Fleet-Services' },
  /**
   * Why it refuses a request: `busy`, if it would refuse any, since it is full, loading or draining, or `ended`, if the
   * model server has while it was answering. Otherwise a limit of the client's key was exceeded.
   */
  refusal: { name: 'X-Copilot-Fleet-Refusal' },
} as const
