/** nginx's status page (ngx_http_stub_status_module): the admission proxy's says how many slots are taken. */

export type StatusPage = {
  active: string
  accepted: string
  handled: string
  requests: string
  reading: string
  writing: string
  waiting: string
}

const layout =
  /Active connections: (\d+)\s[^0-9]*(\d+) (\d+) (\d+)\s+Reading: (\d+) Writing: (\d+) Waiting: (\d+)/

/** Undefined if the text is not such a page. */
export function parseStatusPage(text: string): StatusPage | undefined {
  const found = layout.exec(text)
  if (found === null) return undefined
  const values = found as unknown as string[]
  return {
    active: values[1] as string,
    accepted: values[2] as string,
    handled: values[3] as string,
    requests: values[4] as string,
    reading: values[5] as string,
    writing: values[6] as string,
    waiting: values[7] as string,
  }
}

/** Requests that the admission proxy has let through: generations, and briefly others. One more asks for the page. */
export const admittedRequests = (page: StatusPage): number => Math.max(0, Number(page.writing) - 1)
