/** Removes Node's variables, which can enable a debugger, preload modules, add CAs or disable TLS verification. */

/** Read by Node or its OpenSSL before our code runs. (NODE_OPTIONS is already disabled in the executable.) */
const isObeyed = (name: string) => /^NODE_|^OPENSSL_(CONF|CONF_INCLUDE|MODULES|ENGINES)$/.test(name)

/** The environment without them; undefined if it has none. */
export function withoutNodeVariables(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv | undefined {
  const kept = Object.entries(env).filter(([name]) => !isObeyed(name))
  return kept.length === Object.keys(env).length ? undefined : Object.fromEntries(kept)
}
