/** One of the checks of `slm-copilot doctor`. */
import type { Finding } from '../../../lib/appliance/diagnosis/finding.ts'
import type { Host } from '../../../lib/system/host.ts'

export type DoctorCheck = {
  name: string
  /** What should be seen. */
  expected: string
  /** Changes nothing. What it throws is a problem too. */
  run(host: Host): Promise<Finding> | Finding
}
