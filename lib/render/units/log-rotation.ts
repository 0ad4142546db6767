/** Permissions and rotation of the appliance's logs. */
import { paths, users } from '../../appliance/paths.ts'

/** logrotate's rules: half a year of the stages' log, which each stage reopens; nginx must be signalled. */
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

${paths.accessLog} ${paths.errorLog} {
    daily
    maxsize 10M
    rotate 14
    compress
    delaycompress
    missingok
    notifempty
    create 0640 ${users.web} adm
    sharedscripts
    postrotate
        invoke-rc.d nginx rotate > /dev/null 2>&1
    endscript
}
`,
})

/** `maxsize` takes effect only when logrotate runs: hourly instead of Debian's daily default. */
export const hourlyRotation = () => ({
  path: paths.hourlyRotation,
  mode: 0o644,
  text: `# Written by slm-copilot: sizes of logs are checked every hour.
[Timer]
OnCalendar=
OnCalendar=hourly
RandomizedDelaySec=5min
`,
})

/** Creates nginx's logs before nginx does, which would make them readable by root only (tmpfiles.d(5)). */
export const logFiles = () => ({
  path: paths.logFiles,
  mode: 0o644,
  text: `# Written by slm-copilot.
f ${paths.accessLog} 0640 ${users.web} adm
f ${paths.errorLog} 0640 ${users.web} adm
`,
})
