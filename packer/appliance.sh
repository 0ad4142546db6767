#!/usr/bin/env bash
# Generated from lib/appliance/context/variables.ts by `make generate`. The framework sources this file.
# shellcheck disable=SC2034  # the variables are the framework's to read

ONE_SERVICE_NAME='SLM-Copilot'
ONE_SERVICE_VERSION='0.1.0'
ONE_SERVICE_BUILD=''
ONE_SERVICE_SHORT_DESCRIPTION='Private AI coding assistant on CPUs'
ONE_SERVICE_DESCRIPTION='llama-server serves a coding model on CPUs, behind nginx with TLS and a key.
Cline, Continue, aider, opencode and any OpenAI client connect to it.'
ONE_SERVICE_RECONFIGURABLE=true

ONE_SERVICE_PARAMS=(
    'ONEAPP_COPILOT_PASSWORD' 'configure' 'The API key (Bearer), and the password of user '\''copilot'\'' (Basic).' 'O|password|'
    'ONEAPP_COPILOT_API_PASSWORD' 'configure' 'The API key (Bearer), and the password of user '\''copilot'\'' (Basic).' 'O|password|'
    'ONEAPP_COPILOT_KEYS' 'configure' 'Further keys, one for each developer. The log carries the name.' 'O|password|'
    'ONEAPP_COPILOT_API_KEYS' 'configure' 'Further keys, one for each developer. The log carries the name.' 'O|password|'
    'ONEAPP_COPILOT_DOMAIN' 'configure' 'Public name of the appliance: it gets a certificate from Let'\''s Encrypt, unless one is given.' 'O|text|'
    'ONEAPP_COPILOT_TLS_DOMAIN' 'configure' 'Public name of the appliance: it gets a certificate from Let'\''s Encrypt, unless one is given.' 'O|text|'
    'ONEAPP_COPILOT_TLS_CERT' 'configure' 'A certificate of your own, with its chain.' 'O|text64|'
    'ONEAPP_COPILOT_TLS_KEY' 'configure' 'The private key of that certificate.' 'O|text64|'
    'ONEAPP_COPILOT_TLS_EMAIL' 'configure' 'Where Let'\''s Encrypt may write to.' 'O|text|'
    'ONEAPP_COPILOT_TLS_ACME_URL' 'configure' 'A private ACME server to ask in place of Let'\''s Encrypt.' 'O|text|'
    'ONEAPP_COPILOT_TLS_ACME_CA' 'configure' 'The CA of the private ACME server'\''s own certificate.' 'O|text64|'
    'ONEAPP_COPILOT_CONTEXT_SIZE' 'configure' 'Context window of each conversation, in tokens. Larger costs memory.' 'O|text|'
    'ONEAPP_COPILOT_PARALLEL' 'configure' 'Conversations at once, each with the whole context. More are told to come back.' 'O|text|'
    'ONEAPP_COPILOT_THREADS' 'configure' 'Threads of inference.' 'O|number|'
    'ONEAPP_COPILOT_CPU_THREADS' 'configure' 'Threads of inference.' 'O|number|'
    'ONEAPP_COPILOT_MODEL' 'configure' 'The model to serve. One that is not in the image is fetched while the baked one serves.' 'O|text|'
    'ONEAPP_COPILOT_AI_MODEL' 'configure' 'The model to serve. One that is not in the image is fetched while the baked one serves.' 'O|text|'
    'ONEAPP_COPILOT_MODEL_MIRROR' 'configure' 'Where to fetch a model from. Its SHA-256 is checked, whoever sends it.' 'O|text|'
    'ONEAPP_COPILOT_NTP_SERVERS' 'configure' 'Where to take the time from. Nobody else is asked, and no public server unless it is named here.' 'O|text|'
    'ONEAPP_COPILOT_KEEP_PROMPTS' 'configure' 'Write the conversations last served to disk, in the clear, before a stop: after it they go on at once.' 'O|text|'
    'ONEAPP_COPILOT_SHARED_CACHE' 'configure' 'Reuse cached prompts across keys: faster, but a key'\''s owner can find out whether others have sent a known text.' 'O|text|'
)

service_install() {
    /opt/one-appliance/bin/install ${SLM_COPILOT_RELEASE:+--release "$SLM_COPILOT_RELEASE"}
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

service_cleanup() {
    :
}
