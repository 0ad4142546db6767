/** Parts of our own documents, for the marketplace's. */

/** The text below a heading of the second level. Throws if there is none. */
export function section(document: string, heading: string): string {
  const [, text] = document.split(new RegExp(`^## ${heading}\\n`, 'm'))
  if (text === undefined) throw new Error(`README.md has no section "${heading}"`)
  return (text.split(/^## /m)[0] ?? '').trim()
}

/** The paragraphs between the title and what comes after them: a list, a table, a heading. */
export const introduction = (document: string): string =>
  (document.replace(/^# .*\n/, '').split(/^(?=[-|#<])/m)[0] ?? '').trim()

/** A text without what concerns only the repository: comments, and what stands between these two. */
export const forReaders = (text: string): string =>
  text
    .replace(/\s*<!-- repository only -->[\s\S]*?<!-- \/repository only -->/g, '')
    .replace(/^ *<!--.*?-->\n+/gms, '')
    .replace(/<!--.*?-->/gs, '')

/** GitHub's anchor for a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replaceAll(' ', '-')

/** The text with relative links that lead somewhere: to its own headings, or into the repository at `url`. */
export function withLinks(text: string, url: string): string {
  const anchors = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => `#${anchorOf(heading)}`)
  return text.replace(/\]\((?!https?:)([^)\s]+)\)/g, (whole, target: string) => {
    if (target.startsWith('#')) return anchors.includes(target) ? whole : `](${url}${target})`
    return `](${url}/blob/main/${target})`
  })
}
