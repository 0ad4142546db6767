/** Removes the counts of cached tokens from answers, if keys share a cache. */

/**
 * In the admission proxy and not in the edge proxy, since with a body filter nginx keeps reading from upstream even if the
 * client takes nothing: there send_timeout must be able to cut off such a client. Here at most the rest of one answer is
 * buffered meanwhile.
 */
export const countFilter = `
            js_header_filter copilot.countHeaders;
            js_body_filter copilot.countBody buffer_type=buffer;`
