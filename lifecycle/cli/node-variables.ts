/** Removes Node's own variables from the environment: debugger, preloaded modules, other CAs, unverified TLS. */

/** Read by Node or its OpenSSL before any line of ours runs; NODE_OPTIONS is off in the executable itself. */
const isObeyed = (name: string) => /^NODE_|^OPENSSL_(CONF|CONF_INCLUDE|MODULES|ENGINES)$/.test(name)

/** The environment without them; undefined where it has none. */
export function withoutNodeVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv | undefined {
  const kept = Object.entries(env).filter(([name]) => !isObeyed(name))
  return kept.length === Object.keys(env).length ? undefined : Object.fromEntries(kept)
}
