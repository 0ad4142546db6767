#!/usr/bin/env bash
# Generated from lib/appliance/context/variables.ts by `make generate`. The framework sources this file.
# shellcheck disable=SC2034  # the framework reads these variables

ONE_SERVICE_NAME='SLM-Copilot'
ONE_SERVICE_VERSION='0.1.0'
ONE_SERVICE_BUILD=''
ONE_SERVICE_SHORT_DESCRIPTION='Private AI coding assistant on CPUs'
ONE_SERVICE_DESCRIPTION='llama-server runs a coding model on CPUs, behind nginx with TLS and API keys.
Cline, Continue, aider, opencode and any other OpenAI client can connect to it.'
ONE_SERVICE_RECONFIGURABLE=true

ONE_SERVICE_PARAMS=(
    'ONEAPP_COPILOT_PASSWORD' 'configure' 'The API key (Bearer), which is also the password of user '\''copilot'\'' (Basic).' 'O|password|'
    'ONEAPP_COPILOT_API_PASSWORD' 'configure' 'The API key (Bearer), which is also the password of user '\''copilot'\'' (Basic).' 'O|password|'
    'ONEAPP_COPILOT_KEYS' 'configure' 'Additional API keys, one for each developer, each with an optional limit on the slots that it may take at once. The request log shows the name, never the key.' 'O|password|'
    'ONEAPP_COPILOT_API_KEYS' 'configure' 'Additional API keys, one for each developer, each with an optional limit on the slots that it may take at once. The request log shows the name, never the key.' 'O|password|'
    'ONEAPP_COPILOT_DOMAIN' 'configure' 'The appliance'\''s public DNS name. Let'\''s Encrypt issues a certificate for it, unless you supply your own.' 'O|text|'
    'ONEAPP_COPILOT_TLS_DOMAIN' 'configure' 'The appliance'\''s public DNS name. Let'\''s Encrypt issues a certificate for it, unless you supply your own.' 'O|text|'
    'ONEAPP_COPILOT_TLS_CERT' 'configure' 'Your own server certificate, with its chain.' 'O|text64|'
    'ONEAPP_COPILOT_TLS_KEY' 'configure' 'The private key of that certificate.' 'O|text64|'
    'ONEAPP_COPILOT_TLS_EMAIL' 'configure' 'Contact address for the account at Let'\''s Encrypt, or at another ACME server.' 'O|text|'
    'ONEAPP_COPILOT_TLS_ACME_URL' 'configure' 'A private ACME server to use instead of Let'\''s Encrypt.' 'O|text|'
    'ONEAPP_COPILOT_TLS_ACME_CA' 'configure' 'The CA certificate that the private ACME server is verified against.' 'O|text64|'
    'ONEAPP_COPILOT_CONTEXT_SIZE' 'configure' 'The context window of each conversation, in tokens. A larger one takes more memory.' 'O|text|'
    'ONEAPP_COPILOT_PARALLEL' 'configure' 'Conversations served at once, each with the full context window. Further requests are asked to retry later (429).' 'O|list|'
    'ONEAPP_COPILOT_CONTEXT_PARALLEL' 'configure' 'Conversations served at once, each with the full context window. Further requests are asked to retry later (429).' 'O|list|'
    'ONEAPP_COPILOT_THREADS' 'configure' 'The number of inference threads.' 'O|number|'
    'ONEAPP_COPILOT_CPU_THREADS' 'configure' 'The number of inference threads.' 'O|number|'
    'ONEAPP_COPILOT_MODEL' 'configure' 'The model to serve. One that is not in the image is downloaded while the current one keeps serving.' 'O|list|'
    'ONEAPP_COPILOT_AI_MODEL' 'configure' 'The model to serve. One that is not in the image is downloaded while the current one keeps serving.' 'O|list|'
    'ONEAPP_COPILOT_THINKING' 'configure' 'How long a model may think before each answer, if it does: NO for not at all, or a number of tokens.' 'O|text|'
    'ONEAPP_COPILOT_AI_THINKING' 'configure' 'How long a model may think before each answer, if it does: NO for not at all, or a number of tokens.' 'O|text|'
    'ONEAPP_COPILOT_COMPLETION' 'configure' 'Code completion as you type, with a small model of its own. A model named here is downloaded if it is not in the image.' 'O|list|'
    'ONEAPP_COPILOT_AI_COMPLETION' 'configure' 'Code completion as you type, with a small model of its own. A model named here is downloaded if it is not in the image.' 'O|list|'
    'ONEAPP_COPILOT_EMBEDDINGS' 'configure' 'Search over code: embeddings, and reranking of the results, each with a small model of its own, which is downloaded if it is not in the image.' 'O|text|'
    'ONEAPP_COPILOT_AI_EMBEDDINGS' 'configure' 'Search over code: embeddings, and reranking of the results, each with a small model of its own, which is downloaded if it is not in the image.' 'O|text|'
    'ONEAPP_COPILOT_MODEL_MIRROR' 'configure' 'Where to download models from. Their SHA-256 digests are verified, whatever the source.' 'O|text|'
    'ONEAPP_COPILOT_AI_MIRROR' 'configure' 'Where to download models from. Their SHA-256 digests are verified, whatever the source.' 'O|text|'
    'ONEAPP_COPILOT_MODEL_URL' 'configure' 'A model of your own, served instead of one from the catalogue once it is downloaded and verified. Checking its licence is up to you.' 'O|text|'
    'ONEAPP_COPILOT_AI_URL' 'configure' 'A model of your own, served instead of one from the catalogue once it is downloaded and verified. Checking its licence is up to you.' 'O|text|'
    'ONEAPP_COPILOT_MODEL_SHA256' 'configure' 'The SHA-256 digest of your own model. A file with a different one is not served.' 'O|text|'
    'ONEAPP_COPILOT_AI_SHA256' 'configure' 'The SHA-256 digest of your own model. A file with a different one is not served.' 'O|text|'
    'ONEAPP_COPILOT_NTP_SERVERS' 'configure' 'The NTP servers to synchronise with. No public server is used unless it is named here.' 'O|text|'
    'ONEAPP_COPILOT_UNATTENDED_UPGRADES' 'configure' 'Install the operating system'\''s security updates daily, without rebooting and without restarting llama-server.' 'O|boolean|'
    'ONEAPP_COPILOT_KEEP_PROMPTS' 'configure' 'Persist the prompt cache: save it to disk, unencrypted, when llama-server stops, and restore it at the next start.' 'O|boolean|'
    'ONEAPP_COPILOT_CACHE_KEEP' 'configure' 'Persist the prompt cache: save it to disk, unencrypted, when llama-server stops, and restore it at the next start.' 'O|boolean|'
    'ONEAPP_COPILOT_SHARED_CACHE' 'configure' 'Share cached prompts between keys: faster, but the holder of one key can find out whether another has sent a given text.' 'O|boolean|'
    'ONEAPP_COPILOT_CACHE_SHARED' 'configure' 'Share cached prompts between keys: faster, but the holder of one key can find out whether another has sent a given text.' 'O|boolean|'
    'ONEAPP_COPILOT_METRICS_KEY' 'configure' 'A key that opens the metrics at /metrics and nothing else: as a Bearer token, or as the password of user '\''metrics'\''.' 'O|password|'
    'ONEAPP_COPILOT_STATE_DISK' 'configure' 'An empty disk to format, and to keep the state on from then on: key, certificates, CA. A disk that is not empty is never formatted.' 'O|text|'
    'ONEAPP_COPILOT_DRAIN_SECONDS' 'configure' 'How long a shutdown of the VM waits for answers in progress. OpenNebula must wait longer (SHUTDOWN_TIMEOUT in kvmrc).' 'O|number|'
    'ONEAPP_COPILOT_FLEET_DRAIN' 'configure' 'How long a shutdown of the VM waits for answers in progress. OpenNebula must wait longer (SHUTDOWN_TIMEOUT in kvmrc).' 'O|number|'
    'ONEAPP_COPILOT_ROLE' 'configure' 'A router serves no model: it passes requests on to the copilots of a fleet, and needs 1 GB of memory.' 'O|list|'
    'ONEAPP_COPILOT_FLEET_ROLE' 'configure' 'A router serves no model: it passes requests on to the copilots of a fleet, and needs 1 GB of memory.' 'O|list|'
    'ONEAPP_COPILOT_BACKENDS' 'configure' 'For a router: the copilots to pass requests on to.' 'O|text|'
    'ONEAPP_COPILOT_FLEET_BACKENDS' 'configure' 'For a router: the copilots to pass requests on to.' 'O|text|'
    'ONEAPP_COPILOT_FLEET_KEY' 'configure' 'The key that a router presents to the copilots: the same on every VM of a fleet. Developers never need it.' 'O|password|'
    'ONEAPP_COPILOT_FLOATING_IP' 'configure' 'For two routers: the address at which developers reach them. One has it; if that fails, the other takes it.' 'O|text|'
    'ONEAPP_COPILOT_FLEET_FLOATING_IP' 'configure' 'For two routers: the address at which developers reach them. One has it; if that fails, the other takes it.' 'O|text|'
    'ONEAPP_COPILOT_LOG_FORMAT' 'configure' 'The format of the request log: one line for each request, with the name of its key and its times, and nothing of its content.' 'O|list|'
    'ONEAPP_COPILOT_SYSLOG' 'configure' 'Where to forward the request log and the appliance'\''s warnings: a syslog server, over TLS.' 'O|text|'
    'ONEAPP_COPILOT_SYSLOG_SERVER' 'configure' 'Where to forward the request log and the appliance'\''s warnings: a syslog server, over TLS.' 'O|text|'
    'ONEAPP_COPILOT_SYSLOG_CA' 'configure' 'The CA certificate that the syslog server is verified against.' 'O|text64|'
)

# A kill while the framework writes its status leaves that file empty, and the framework would run no stage any more.
if [ -f /opt/slm-copilot/release.json ] && [ -f /etc/one-appliance/status ] && [ ! -s /etc/one-appliance/status ]; then
    echo install_success > /etc/one-appliance/status
fi

service_install() {
    /opt/one-appliance/bin/install ${SLM_COPILOT_RELEASE:+--release "$SLM_COPILOT_RELEASE"} \
        ${SLM_COPILOT_MIRROR:+--mirror "$SLM_COPILOT_MIRROR"}
}

service_configure() {
    /opt/one-appliance/bin/configure
}

service_bootstrap() {
    /opt/one-appliance/bin/bootstrap --report "${ONE_SERVICE_REPORT:-/etc/one-appliance/config}"
}

service_help() {
    /opt/one-appliance/bin/slm-copilot help
}

# Called when a stage ends. The framework's tee, which writes the log, keeps the framework's lock for a moment longer, and the
# next stage, which follows at once, does not wait for the lock: it would not run.
service_cleanup() {
    # While this is open, so is the log: the stage has failed, and none follows.
    if { : >&3; } 2> /dev/null; then return; fi
    for _ in {1..100}; do
        kill -0 "${!:-}" 2> /dev/null || return 0
        sleep 0.1
    done
}
