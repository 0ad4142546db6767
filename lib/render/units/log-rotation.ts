/** Permissions, rotation and limits of the appliance's logs. */
import { paths, users } from '../../appliance/paths.ts'
import { written } from '../written.ts'

/**
 * logrotate's rules: half a year of the stages' log, which each stage reopens; some 40 days of the request log, or less
 * if 120 files of 20 MB (a fifth of that once compressed) do not hold them. nginx must be signalled.
 */
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
    maxsize 20M
    rotate 120
    maxage 40
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

/** Bounds the journal by size and age (journald.conf(5)). */
export const journalLimits = () => ({
  path: paths.journalLimits,
  mode: 0o644,
  text: `${written}
[Journal]
SystemMaxUse=512M
MaxRetentionSec=90day
`,
})

/** Creates nginx's logs before nginx does, which would make them readable by root only (tmpfiles.d(5)). */
export const logFiles = () => ({
  path: paths.logFiles,
  mode: 0o644,
  text: `${written}
f ${paths.accessLog} 0640 ${users.web} adm
f ${paths.errorLog} 0640 ${users.web} adm
`,
})
