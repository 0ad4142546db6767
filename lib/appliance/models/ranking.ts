/** Which model to choose: quality, speed, and what fits. */
import { variables } from '../context/variables.ts'
import type { Model } from './catalogue.ts'

const qualityOf = ({ quality }: Model) => quality?.independent ?? 0

/**
 * Those that fit first; among them the better first, and of equals the faster, which reads fewer bytes for each token.
 * Models without a figure come last, in the given order.
 */
export const ranked = (models: readonly Model[], fits: (model: Model) => boolean): Model[] =>
  models.toSorted(
    (a, b) =>
      Number(fits(b)) - Number(fits(a)) ||
      qualityOf(b) - qualityOf(a) ||
      (a.quality === undefined ? 0 : a.geometry.active - b.geometry.active),
  )

/** `64.4 % of SWE-bench Verified (73.4 by its makers)`. */
export const qualityText = ({ quality }: Model): string =>
  quality === undefined
    ? 'quality: no independent figure'
    : `${quality.independent} % of SWE-bench Verified${quality.maker === undefined ? '' : ` (${quality.maker} by its makers)`}`

type Planned = { model: Model; contextSize: number }

/** How many times as fast one model's answers are as another's, as far as memory bandwidth limits them. */
const speedRatio = (of: Model, than: Model) => than.geometry.active / of.geometry.active

/** Faster by less is not worth a change; slower by less is no loss. */
const noticeable = 1.5
const negligible = 0.9

/**
 * A line on the best model that fits with at least the same context, if it is better than the current one and not
 * slower, or faster and not worse. Undefined if the current one's quality is not known. `planOf`: undefined if a
 * model cannot be served here.
 */
export function betterChoice(
  { model: current, contextSize }: Planned,
  models: readonly Model[],
  planOf: (model: Model) => Pick<Planned, 'contextSize'> | undefined,
): string | undefined {
  if (current.quality === undefined) return undefined
  const isBetter = (model: Model) => {
    const [gain, faster] = [qualityOf(model) - qualityOf(current), speedRatio(model, current)]
    return (gain > 0 && faster >= negligible) || (gain >= 0 && faster >= noticeable)
  }
  const candidates = models.filter(model => model.name !== current.name && isBetter(model))
  const fits = (model: Model) => (planOf(model)?.contextSize ?? 0) >= contextSize
  const [better] = ranked(candidates.filter(fits), () => true)
  if (better === undefined) return undefined
  const times = speedRatio(better, current)
  const pace =
    times < noticeable ? 'about as fast' : `about ${times.toFixed(times < 3 ? 1 : 0)} times as fast`
  return (
    `${better.name} fits into this VM, too: it solves ${qualityOf(better)} % of SWE-bench Verified instead of ${qualityOf(current)} %, ` +
    `and its answers are ${pace}. To serve it: ${variables.model.name}=${better.name}`
  )
}
