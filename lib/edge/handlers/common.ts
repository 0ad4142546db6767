/** What nginx's handlers share: the settings that configure wrote, answers in JSON, and files that may not exist. */
// biome-ignore lint/style/useNodejsImportProtocol: njs knows the module by this name only.
import fs from 'fs'
import type { EdgeSettings } from '../../appliance/requests/edge-settings.ts'

/** The constant `settings`, which configure defines in front of this program. */
export type NginxSettings = EdgeSettings & { unavailableReason: string; draining: string; metrics: string }

export function answer(r: NginxHTTPRequest, status: number, body: NjsStringOrBuffer): void {
  r.headersOut['Content-Type'] = 'application/json'
  r.return(status, body)
}

/** A file's text; empty if it does not exist. */
export function textOf(file: string): string {
  try {
    return fs.readFileSync(file).toString()
  } catch (_) {
    return ''
  }
}
