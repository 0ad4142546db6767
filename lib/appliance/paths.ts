/** Every absolute path, port, user and unit name of the appliance, each once. */
import type { CompanionKind, ServiceKind } from './requests/services.ts'

const releases = '/opt/slm-copilot/llama.cpp'
const tls = '/etc/ssl/slm-copilot'
const documents = '/usr/share/doc/slm-copilot'
const certbot = '/etc/letsencrypt'

/** File names in a certificate's folder (certbot's too): the chain for nginx, leaf first, and its key. */
export const certificateFiles = { chain: 'fullchain.pem', key: 'privkey.pem' } as const

const admissionFolder = '/run/slm-copilot-admission'

/** Public files: outside /home, /root and /tmp, which nginx's sandbox hides. */
const pages = '/var/www/slm-copilot-pages'

/** The landing page's file name in its folder. */
export const landingPageFile = 'index.html'

export const paths = {
  binaries: '/opt/one-appliance/bin',
  executable: '/opt/one-appliance/bin/slm-copilot',
  /** In the PATH of login shells, sudo (secure_path) and systemd units; not in cron's. */
  command: '/usr/local/bin/slm-copilot',

  /** Licences of Debian's packages: a folder for each, with a file `copyright`. */
  packageDocuments: '/usr/share/doc',
  osRelease: '/etc/os-release',
  documents,
  sbom: `${documents}/sbom.cdx.json`,
  notices: `${documents}/THIRD-PARTY-NOTICES`,

  release: '/opt/slm-copilot/release.json',
  fileProofs: '/opt/slm-copilot/verified.json',
  releases,
  llamaCurrent: `${releases}/current`,
  llamaServer: `${releases}/current/llama-server`,
  models: '/opt/slm-copilot/models',
  /** The appliance's own chat templates. */
  chatTemplates: '/opt/slm-copilot/templates',

  settings: '/etc/slm-copilot',
  llamaEnvironment: '/etc/slm-copilot/llama-server.env',
  plan: '/etc/slm-copilot/plan.json',

  unit: '/etc/systemd/system/slm-copilot.service',
  memoryDropIn: '/etc/systemd/system/slm-copilot.service.d/memory.conf',
  admissionUnit: '/etc/systemd/system/slm-copilot-admission.service',
  /** HAProxy on a router; its sockets lie where the edge proxy of a copilot expects the admission proxy. */
  routerUnit: '/etc/systemd/system/slm-copilot-router.service',
  routerConfiguration: '/etc/haproxy/slm-copilot.cfg',
  routerProgram: '/etc/haproxy/slm-copilot.lua',
  routerControl: `${admissionFolder}/control.sock`,
  repeatedSocket: `${admissionFolder}/repeated.sock`,
  backendsService: '/etc/systemd/system/slm-copilot-backends.service',
  backendsTimer: '/etc/systemd/system/slm-copilot-backends.timer',
  backendsWanted: '/etc/systemd/system/timers.target.wants/slm-copilot-backends.timer',
  /** The copilots that a router knows, and what of them clients may see. */
  fleet: '/var/lib/slm-copilot/fleet.json',
  /** The key that a router presents to copilots. */
  fleetKey: '/etc/slm-copilot/fleet-key',
  fleetModels: `${pages}/models.json`,
  /** keepalived on a router: its unit, its configuration, and what it runs to see whether this router answers. */
  floatingUnit: '/etc/systemd/system/slm-copilot-floating-ip.service',
  floatingConfiguration: '/etc/slm-copilot/keepalived.conf',
  floatingCheck: '/opt/slm-copilot/router-answers.sh',
  floatingFolder: '/run/slm-copilot-floating-ip',
  modelService: '/etc/systemd/system/slm-copilot-model.service',
  companionsService: '/etc/systemd/system/slm-copilot-companions.service',
  watchdogService: '/etc/systemd/system/slm-copilot-watchdog.service',
  watchdogTimer: '/etc/systemd/system/slm-copilot-watchdog.timer',
  /** The watchdog's quick check: starts the executable only if something may be wrong. */
  watchdogScript: '/opt/slm-copilot/watchdog.sh',
  reconfigureService: '/etc/systemd/system/slm-copilot-reconfigure.service',
  addressesService: '/etc/systemd/system/slm-copilot-addresses.service',
  addressesTimer: '/etc/systemd/system/slm-copilot-addresses.timer',
  addressesWanted: '/etc/systemd/system/timers.target.wants/slm-copilot-addresses.timer',
  addressesScript: '/opt/slm-copilot/addresses.sh',
  /** The addresses that the last configure has found, one a line; and those that it was last run again for. */
  addresses: '/run/slm-copilot-addresses',
  addressesTried: '/run/slm-copilot-addresses-tried',
  watchdogWanted: '/etc/systemd/system/timers.target.wants/slm-copilot-watchdog.timer',
  metricsService: '/etc/systemd/system/slm-copilot-metrics.service',
  metricsTimer: '/etc/systemd/system/slm-copilot-metrics.timer',
  metricsWanted: '/etc/systemd/system/timers.target.wants/slm-copilot-metrics.timer',
  drainService: '/etc/systemd/system/slm-copilot-drain.service',
  drainWanted: '/etc/systemd/system/multi-user.target.wants/slm-copilot-drain.service',
  readinessService: '/etc/systemd/system/slm-copilot-readiness.service',
  readinessPath: '/etc/systemd/system/slm-copilot-readiness.path',
  bootReadinessService: '/etc/systemd/system/slm-copilot-boot-readiness.service',
  readinessWanted: '/etc/systemd/system/multi-user.target.wants/slm-copilot-boot-readiness.service',
  renewalService: '/etc/systemd/system/slm-copilot-renew.service',
  renewalTimer: '/etc/systemd/system/slm-copilot-renew.timer',
  promptCacheUnit: '/etc/systemd/system/slm-copilot-prompt-cache.service',
  promptCacheWanted: '/etc/systemd/system/slm-copilot.service.wants/slm-copilot-prompt-cache.service',
  renewalWanted: '/etc/systemd/system/timers.target.wants/slm-copilot-renew.timer',
  nginxDropIn: '/etc/systemd/system/nginx.service.d/slm-copilot.conf',
  /** What packages may do to services. */
  packagePolicy: '/usr/sbin/policy-rc.d',
  needrestartConfiguration: '/etc/needrestart/conf.d/slm-copilot.conf',
  needrestartNginx: '/etc/needrestart/restart.d/nginx.service',
  nginxScriptModule: '/usr/lib/nginx/modules/ngx_http_js_module.so',
  nginxPid: '/run/nginx.pid',
  edgeConfiguration: '/etc/nginx/slm-copilot.conf',
  edgeProgram: '/etc/nginx/slm-copilot.js',
  connectionLimit: '/etc/nginx/slm-copilot.nft',
  /** On tmpfs. */
  edgeBodies: '/run/slm-copilot-edge',
  accessLog: '/var/log/nginx/slm-copilot.access',
  errorLog: '/var/log/nginx/slm-copilot.errors',
  logFiles: '/etc/tmpfiles.d/slm-copilot.conf',
  syslogConfiguration: '/etc/slm-copilot/syslog.conf',
  syslogCa: '/etc/slm-copilot/syslog-ca.pem',
  syslogUnit: '/etc/systemd/system/slm-copilot-syslog.service',
  /** Debian's own unit, which would keep a copy of the journal. */
  debianSyslog: '/etc/systemd/system/rsyslog.service',
  /** Its queue, and how far it has read each log. */
  syslogState: '/var/lib/slm-copilot-syslog',
  /** The CAs that the system trusts (Debian's ca-certificates). */
  trustedCas: '/etc/ssl/certs/ca-certificates.crt',
  journalLimits: '/etc/systemd/journald.conf.d/slm-copilot.conf',
  hourlyRotation: '/etc/systemd/system/logrotate.timer.d/slm-copilot.conf',
  /** Why llama-server does not serve, for clients; absent while it serves or loads for the first time. */
  unavailableReason: '/run/slm-copilot-unavailable',
  /** Since when the VM takes no new requests; absent unless it is being drained. Both proxies look for it. */
  draining: '/run/slm-copilot-draining',
  admissionConfiguration: '/etc/nginx/slm-copilot-admission.conf',
  admissionProgram: '/etc/nginx/slm-copilot-admission.js',
  defaultSite: '/etc/nginx/sites-enabled/default',
  acme: '/var/www/slm-copilot',
  pages,
  landingPage: `${pages}/${landingPageFile}`,
  logRotation: '/etc/logrotate.d/slm-copilot',
  banner: '/etc/profile.d/slm-copilot.sh',

  tls,
  caCertificate: `${tls}/ca.crt`,
  caKey: `${tls}/ca.key`,
  previousCaCertificate: `${tls}/previous-ca.crt`,
  previousCaKey: `${tls}/previous-ca.key`,
  certificates: `${tls}/certificates`,
  privateCertificate: `${tls}/private`,
  currentCertificate: `${tls}/current`,
  currentChain: `${tls}/current/${certificateFiles.chain}`,
  currentHeaders: `${tls}/current.conf`,

  certbot,
  certbotWork: '/var/lib/letsencrypt',
  certbotLogs: '/var/log/letsencrypt',
  deployHook: `${certbot}/renewal-hooks/deploy/slm-copilot`,
  certbotDropIn: '/etc/systemd/system/certbot.service.d/slm-copilot.conf',
  acmeCa: '/etc/slm-copilot/acme-ca.pem',
  attempts: '/var/lib/slm-copilot/lets-encrypt.json',
  bootId: '/proc/sys/kernel/random/boot_id',

  unitFiles: '/etc/systemd/system',
  securityUpdates: '/etc/apt/apt.conf.d/90slm-copilot',

  /** A folder for each version that is kept, with its executable, shim and release. */
  versions: '/opt/slm-copilot/versions',
  /** Links to the version before the last upgrade, and to the one that an interrupted upgrade goes back to. */
  previousVersion: '/opt/slm-copilot/versions/previous',
  fallbackVersion: '/opt/slm-copilot/versions/fallback',
  upgradeJournal: '/var/lib/slm-copilot/upgrade.json',
  upgradeUnit: '/etc/systemd/system/slm-copilot-upgrade.service',
  upgradeWanted: '/etc/systemd/system/multi-user.target.wants/slm-copilot-upgrade.service',
  upgradeLock: '/run/slm-copilot-locks/upgrade',
  shim: '/etc/one-appliance/service.d/appliance.sh',

  clockEpoch: '/usr/lib/clock-epoch',
  chronyConfiguration: '/etc/chrony/chrony.conf',
  chronyDropIn: '/etc/systemd/system/chrony.service.d/slm-copilot.conf',
  hardwareClocks: '/sys/class/ptp',
  networkdState: '/run/systemd/netif/state',
  chronySocket: '/run/chrony/chronyd.sock',

  /** Where disks are mounted: with models, and with the state, whose folders are then shown at their own paths. */
  modelsDisk: '/srv/copilot/models',
  stateDisk: '/srv/copilot/state',
  /** On the disk with the state: by which version it was written. */
  stateStamp: '/srv/copilot/state/slm-copilot.json',
  /** Not on that disk: which one it is. */
  stateDiskUsed: '/opt/slm-copilot/state-disk.json',
  /** What has been found and mounted. */
  disks: '/run/slm-copilot-disks.json',
  disksLock: '/run/slm-copilot-locks/disks',
  disksService: '/etc/systemd/system/slm-copilot-disks.service',
  disksWanted: '/etc/systemd/system/multi-user.target.wants/slm-copilot-disks.service',
  disksChangedService: '/etc/systemd/system/slm-copilot-disks-changed.service',
  disksRule: '/etc/udev/rules.d/90-slm-copilot.rules',

  state: '/var/lib/slm-copilot',
  password: '/var/lib/slm-copilot/password',
  passwordReplacement: '/var/lib/slm-copilot/password-replaced.json',
  /** A stopped llama-server's prompt cache, readable only by its user; root owns the index of digests. */
  promptCacheFolder: '/var/cache/slm-copilot/prompts',
  /** Its parent stays where it is, also as a mount point. */
  cache: '/var/cache/slm-copilot',
  promptCacheIndex: '/var/lib/slm-copilot/prompt-cache.json',
  verifications: '/var/lib/slm-copilot/models.json',
  /** What the headers of models by URL say. */
  ownModels: '/var/lib/slm-copilot/own-models.json',
  lock: '/run/slm-copilot-locks/stages',
  fetchLock: '/run/slm-copilot-locks/fetch',
  companionFetchLock: '/run/slm-copilot-locks/fetch-companions',
  contextFile: '/run/one-context/one_env',
  frameworkStatus: '/etc/one-appliance/status',
  /** What is published at OneGate. */
  oneGate: '/run/slm-copilot-onegate.json',
  oneGateLoad: '/run/slm-copilot-onegate-load.json',
  /** Written by the framework at each stage; its text is kept while another one is shown. */
  messageOfTheDay: '/etc/motd',
  messageState: '/var/lib/slm-copilot/message-of-the-day.json',
  /** What READY and the message say, and when to try again if that failed: for the watchdog's quick check. */
  readiness: '/run/slm-copilot-readiness',
  fetching: '/run/slm-copilot-model',
  fetchProgress: '/run/slm-copilot-model/progress',
  companionFetching: '/run/slm-copilot-companions',
  companionProgress: '/run/slm-copilot-companions/progress',
  proven: '/run/slm-copilot-proven.json',
  measurement: '/run/slm-copilot-measurement.json',
  restarts: '/run/slm-copilot-restarts.json',
  watchdog: '/run/slm-copilot-watchdog.json',
  /** Exists if the watchdog's last full check found no fault and llama-server has not been started since. */
  healthy: '/run/slm-copilot-healthy',
  /** The metrics that a timer writes, and what it has counted for them. */
  metrics: '/run/slm-copilot-metrics.prom',
  counters: '/run/slm-copilot-counters.json',
  memoryShortage: '/var/lib/slm-copilot/memory-shortage.json',
  loaded: '/var/lib/slm-copilot/loaded.json',
  /** The last run since boot of each stage, and of the smoke test. */
  stageRuns: '/run/slm-copilot-stages.json',
  smokeTest: '/run/slm-copilot-smoke-test.json',
  /** Created by Debian's packages (the kernel's, libraries') whose update needs a reboot. */
  rebootRequired: '/run/reboot-required',
  socketFolder: '/run/slm-copilot',
  socket: '/run/slm-copilot/llama.sock',
  admissionFolder,
  admissionSocket: `${admissionFolder}/admission.sock`,
  candidate: '/run/slm-copilot-candidate',
  prewarm: '/run/slm-copilot-prewarm',
  supportBundle: '/run/slm-copilot-support',

  report: '/etc/one-appliance/config',
  log: '/var/log/one-appliance/slm-copilot.log',
} as const

export const units = {
  llama: 'slm-copilot.service',
  admission: 'slm-copilot-admission.service',
  router: 'slm-copilot-router.service',
  backends: 'slm-copilot-backends.service',
  backendsTimer: 'slm-copilot-backends.timer',
  floatingIp: 'slm-copilot-floating-ip.service',
  /** Debian's, which would read other configurations. */
  haproxy: 'haproxy.service',
  keepalived: 'keepalived.service',
  promptCache: 'slm-copilot-prompt-cache.service',
  nginx: 'nginx.service',
  model: 'slm-copilot-model.service',
  companions: 'slm-copilot-companions.service',
  watchdog: 'slm-copilot-watchdog.service',
  readiness: 'slm-copilot-readiness.service',
  bootReadiness: 'slm-copilot-boot-readiness.service',
  drain: 'slm-copilot-drain.service',
  disks: 'slm-copilot-disks.service',
  upgrade: 'slm-copilot-upgrade.service',
  disksChanged: 'slm-copilot-disks-changed.service',
  readinessPath: 'slm-copilot-readiness.path',
  reconfigure: 'slm-copilot-reconfigure.service',
  certbot: 'certbot.service',
  clock: 'chrony.service',
  syslog: 'slm-copilot-syslog.service',
} as const

/** Where a model service is: its unit, its files and its socket. */
export type ModelService = {
  kind: ServiceKind
  unit: string
  unitFile: string
  /** llama-server's settings. Without them the unit does not start. */
  environment: string
  memoryDropIn: string
  socketFolder: string
  socket: string
}

const companionService = (kind: CompanionKind): ModelService => ({
  kind,
  unit: `slm-copilot-${kind}.service`,
  unitFile: `/etc/systemd/system/slm-copilot-${kind}.service`,
  environment: `/etc/slm-copilot/${kind}.env`,
  memoryDropIn: `/etc/systemd/system/slm-copilot-${kind}.service.d/memory.conf`,
  socketFolder: `/run/slm-copilot-${kind}`,
  socket: `/run/slm-copilot-${kind}/llama.sock`,
})

/** The model services: chat, and its companions. */
export const modelServices: Record<ServiceKind, ModelService> = {
  chat: {
    kind: 'chat',
    unit: units.llama,
    unitFile: paths.unit,
    environment: paths.llamaEnvironment,
    memoryDropIn: paths.memoryDropIn,
    socketFolder: paths.socketFolder,
    socket: paths.socket,
  },
  completion: companionService('completion'),
  embeddings: companionService('embeddings'),
  reranking: companionService('reranking'),
}

/** Units that connect to package archives and vendors' servers on their own; those that Debian lacks are Ubuntu's. */
export const outboundUnits = {
  updates: ['apt-daily.timer', 'apt-daily-upgrade.timer', 'unattended-upgrades.service'],
  others: [
    'apt-news.service',
    'esm-cache.service',
    'fwupd-refresh.timer',
    'motd-news.timer',
    'ua-timer.timer',
    'update-notifier-download.timer',
    'update-notifier-motd.timer',
  ],
} as const

export const users = { llama: 'slm-copilot', web: 'www-data' } as const

/** The same for `ensureSystemUsers`. Debian's www-data has a fixed ID (base-passwd), which owns the logs. */
export const systemUsers = [{ name: users.llama }, { name: users.web, id: 33 }]

export const ports = { http: 80, https: 443 } as const

/** Gives a stage run by hand the VM's context; without it every variable has its default. */
export const contextOption = `--context-file ${paths.contextFile}`

/** What to run if configure's files are missing or damaged. */
export const configureCommand = `slm-copilot configure ${contextOption}`

/** What to run if the release's files are missing or damaged. */
export const installCommand = 'slm-copilot install'

/** The file of a chat template of our own. */
export const templatePath = (name: string) => `${paths.chatTemplates}/${name}.jinja`

/** The file of a model's weights. */
export const modelPath = (name: string) => `${paths.models}/${name}.gguf`

/**
 * Requested over a socket: llama-server's LoRA adapters, of which it has none. The request goes through
 * llama-server's queue like a generation but takes no slot: it is answered after the current batch.
 */
export const queueUrl = 'http://localhost/lora-adapters'

/** nginx's own status, requested over the admission proxy's socket. */
export const admissionStatusUrl = 'http://localhost/admission-status'

/** llama-server's own health check, requested over its socket. It bypasses the queue. */
export const healthUrl = 'http://localhost/health'
