/** Features that depend on nginx's version. */

/**
 * Whether this version of nginx has the `http2` directive (nginx.org/en/docs/http/ngx_http_v2_module.html:
 * since 1.25.1), from what `nginx -v` prints. False if that names no version: every version accepts the older
 * form.
 */
export function hasHttp2Directive(printed: string): boolean {
  const [major = 0, minor = 0, patch = 0] = (printed.match(/nginx\/(\d+)\.(\d+)\.(\d+)/) ?? [])
    .slice(1)
    .map(Number)
  return major * 1_000_000 + minor * 1000 + patch >= 1_025_001
}
