/** logrotate's rule for the appliance's log. */
import { paths } from '../appliance/paths.ts'

/** Monthly or at 10 MB, half a year kept; each stage opens the file anew, so nothing needs a signal. */
export const logRotation = () => ({
  path: paths.logRotation,
  mode: 0o644,
  text: `${paths.log} {
    monthly
    maxsize 10M
    rotate 6
    compress
    missingok
    notifempty
    create 0640 root root
}
`,
})
