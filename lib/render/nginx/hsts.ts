/** HTTP Strict Transport Security (RFC 6797): half a year with a public certificate, none with a private one. */
import { paths } from '../../appliance/paths.ts'

/** The file that the HTTPS server and its landing page include; replaced along with the certificate. */
export const hstsFile = (isPublic: boolean) => ({
  path: paths.currentHeaders,
  mode: 0o644,
  text: `# Written by slm-copilot.
${isPublic ? "add_header Strict-Transport-Security 'max-age=15768000' always;" : '# No HSTS: the certificate is not publicly trusted.'}
`,
})
