/** A scrape of the metrics. */
import { metricsLocation, metricsPath } from '../../appliance/requests/api.ts'
import { metricsPage } from '../metrics.ts'
import { type NginxSettings, textOf } from './common.ts'

declare const settings: NginxSettings

/** `GET /metrics`. The admission proxy is asked first and alone: otherwise it would count the other requests as well. */
export function metrics(r: NginxHTTPRequest): void {
  const replies: Record<string, string | undefined> = {}
  const ask = (name: string, then: () => void) =>
    r.subrequest(`${metricsLocation}/${name}`, reply => {
      replies[name] = reply.status === 200 ? (reply.responseText ?? '') : undefined
      then()
    })
  let missing = 3
  const finish = () => {
    missing -= 1
    if (missing > 0) return
    r.variables.copilot_original_path = metricsPath
    r.headersOut['Content-Type'] = 'text/plain; version=0.0.4; charset=utf-8'
    r.return(
      200,
      metricsPage({
        written: textOf(settings.metrics),
        edge: replies.edge,
        admission: replies['admission-status'],
        health: replies.health,
        llama: replies.metrics,
        slots: settings.slots,
        hidesCounts: settings.hidesCounts === true,
      }),
    )
  }
  ask('admission-status', () => {
    ask('edge', finish)
    ask('health', finish)
    ask('metrics', finish)
  })
}
