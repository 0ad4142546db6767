/** The shim that the one-apps framework sources: it describes the appliance and calls the executable. */

import { type Variable, variableList } from '../../appliance/context/variables.ts'
import { paths } from '../../appliance/paths.ts'
import { shellQuoted } from '../../appliance/text.ts'

/** A variable's name and, if any, its alias. */
const namesOf = ({ name, alias }: Variable) => (alias === undefined ? [name] : [name, alias])

/** The framework's flat array, four entries per variable: name, stage, description, user input. */
const parameters = variableList
  .flatMap(variable => namesOf(variable).map(name => ({ ...variable, name })))
  .map(({ name, stage, help, input }) => [name, stage, help, `O|${input}|`].map(shellQuoted).join(' '))
  .map(line => `    ${line}`)
  .join('\n')

/** The text of /etc/one-appliance/service.d/appliance.sh. */
export const shim = (version: string) => `#!/usr/bin/env bash
# Generated from lib/appliance/context/variables.ts by \`make generate\`. The framework sources this file.
# shellcheck disable=SC2034  # the framework reads these variables

ONE_SERVICE_NAME='SLM-Copilot'
ONE_SERVICE_VERSION=${shellQuoted(version)}
ONE_SERVICE_BUILD=''
ONE_SERVICE_SHORT_DESCRIPTION='Private AI coding assistant on CPUs'
ONE_SERVICE_DESCRIPTION='llama-server runs a coding model on CPUs, behind nginx with TLS and API keys.
Cline, Continue, aider, opencode and any other OpenAI client can connect to it.'
ONE_SERVICE_RECONFIGURABLE=true

ONE_SERVICE_PARAMS=(
${parameters}
)

# A kill while the framework writes its status leaves that file empty, and the framework would run no stage any more.
if [ -f ${paths.release} ] && [ -f ${paths.frameworkStatus} ] && [ ! -s ${paths.frameworkStatus} ]; then
    echo install_success > ${paths.frameworkStatus}
fi

service_install() {
    ${paths.binaries}/install \${SLM_COPILOT_RELEASE:+--release "$SLM_COPILOT_RELEASE"} \\
        \${SLM_COPILOT_MIRROR:+--mirror "$SLM_COPILOT_MIRROR"}
}

service_configure() {
    ${paths.binaries}/configure
}

service_bootstrap() {
    ${paths.binaries}/bootstrap --report "\${ONE_SERVICE_REPORT:-${paths.report}}"
}

service_help() {
    ${paths.executable} help
}

# Called when a stage ends. The framework's tee, which writes the log, keeps the framework's lock for a moment longer, and the
# next stage, which follows at once, does not wait for the lock: it would not run.
service_cleanup() {
    # While this is open, so is the log: the stage has failed, and none follows.
    if { : >&3; } 2> /dev/null; then return; fi
    for _ in {1..100}; do
        kill -0 "\${!:-}" 2> /dev/null || return 0
        sleep 0.1
    done
}
`
