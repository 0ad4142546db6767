/** What bootstrap would do to each service if one configured folder's files were replaced by another's. */
import { type Service, services } from '../../../lib/appliance/services/services.ts'
import { type Action, decideAction, readInputs } from '../../../lib/steps/services/services.ts'
import { openHost } from '../../../lib/system/host.ts'

const running = {
  isActive: true,
  isRunning: true,
  hasJob: false,
  isEnabled: true,
  invocation: 'the run that is proven',
  mainPid: 1,
  startedAt: new Date(),
}

/** Those that run on every copilot. */
const ofCopilots = ['llama', 'admission', 'nginx', 'clock'] as const

/**
 * Of the services of a copilot, those that would be restarted or reloaded, by name. All are running, last started with the
 * files in `from`.
 */
export const actionsBetween = (from: string, to: string): Partial<Record<string, Action>> =>
  Object.fromEntries(
    ofCopilots
      .map(name => [name, actionBetween(services[name], from, to)] as const)
      .filter(([, action]) => action !== 'leave alone'),
  )

function actionBetween(service: Service, from: string, to: string): Action {
  const inputsIn = (root: string) => readInputs(openHost({ env: {}, root }), service)
  const { restart, reload } = inputsIn(from)
  const run = { invocation: running.invocation, restart: restart.digest, reload: reload.digest }
  return decideAction(service.unit, running, inputsIn(to), { [service.unit]: run }, new Date())
}
