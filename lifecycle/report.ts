/** What the administrator reads after bootstrap: the login banner and the report. */
import { modelServices, units } from '../lib/appliance/paths.ts'
import { companionModels, describedCapacity, type Plan, planNotes } from '../lib/appliance/plan.ts'
import type { Speed } from '../lib/appliance/sizing/speed.ts'
import { loginBanner, reportFile } from '../lib/render/text/report.ts'
import { passwordInForce } from '../lib/steps/password.ts'
import { clientView } from '../lib/steps/tls/client-view.ts'
import type { Tls } from '../lib/steps/tls/tls.ts'
import type { Host } from '../lib/system/host.ts'
import type { ManagedFile } from '../lib/system/managed-files.ts'

/** The measured speed of the model being served; `remarks` say why, if it could not be measured. */
export type Measured = { speed?: Speed | undefined; remarks: string[] }

type ReportInput = Measured & { tls: Tls; notes: string[] }

const running = 'active, enabled at boot'

export function reportFiles(host: Host, plan: Plan, outcome: ReportInput, reportPath: string): ManagedFile[] {
  const { tls, speed, remarks, notes } = outcome
  const serves = 'capacity' in plan
  const report = {
    ...clientView(tls.inUse, tls.ca.pair, plan.endpoints),
    capacity: describedCapacity(plan),
    companions: companionModels(plan),
    serves,
    isRouter: plan.state === 'routing',
    speed,
    remarks: [...plan.hardware, ...remarks],
    notes: [...planNotes(plan), ...notes],
    password: passwordInForce(host),
    services: [
      ...(plan.state === 'routing'
        ? [{ unit: units.router, state: running }]
        : [
            { unit: units.llama, state: serves ? running : 'stopped: no model to serve' },
            ...plan.companions.map(({ capacity, isInstalled }) => ({
              unit: modelServices[capacity.model.kind].unit,
              state: isInstalled ? `${running}: ${capacity.model.name}` : `waits for ${capacity.model.name}`,
            })),
            { unit: units.admission, state: running },
          ]),
      { unit: units.nginx, state: running },
    ],
  }
  return [loginBanner(report), reportFile(reportPath, report)]
}
