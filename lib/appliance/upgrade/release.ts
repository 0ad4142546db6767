/** The release that is installed by an upgrade: a new llama.cpp and catalogue, with the models that are here. */
import type { Model } from '../models/catalogue.ts'
import type { CompanionModel } from '../models/companions.ts'
import { modelsOf, type Release } from '../models/release.ts'

/**
 * `present`: names of the models whose weights are on disk. They stay as they are: a catalogue that has another file
 * under a name would otherwise have gigabytes downloaded again.
 */
export function upgradedRelease(installed: Release, offered: Release, present: string[]): Release {
  const before = new Map(modelsOf(installed).map(model => [model.name, model]))
  const offers = new Map(modelsOf(offered).map(model => [model.name, model]))
  const chosen = (name: string): Model => {
    const [old, fresh] = [before.get(name), offers.get(name)]
    if (old === undefined || (fresh !== undefined && fresh.sha256 === old.sha256)) return fresh as Model
    return fresh === undefined || present.includes(name) ? old : fresh
  }
  const names = new Set([...offers.keys(), ...before.keys()])
  names.delete(installed.model.name)
  const signedBy = offered.signedBy ?? installed.signedBy
  return {
    llamaCpp: offered.llamaCpp,
    // The image's own weights are there, or are downloaded by the digest that they had.
    model: upgradedModel(installed.model, offers.get(installed.model.name)),
    further: [...names].map(chosen),
    companions: upgradedCompanions(installed, offered, present),
    ...(signedBy !== undefined && { signedBy }),
  }
}

/** What is said about the model may change, but not its file. */
const upgradedModel = (installed: Model, offered: Model | undefined): Model =>
  offered?.sha256 === installed.sha256 ? offered : installed

/** Likewise the models of the services beside chat. Which are in the image does not change. */
const upgradedCompanions = (installed: Release, offered: Release, present: string[]): CompanionModel[] =>
  offered.companions.map(({ isBaked: _, ...fresh }) => {
    const old = installed.companions.find(({ name }) => name === fresh.name)
    const isKept = old !== undefined && old.sha256 !== fresh.sha256 && present.includes(fresh.name)
    return { ...(isKept ? old : fresh), ...(old?.isBaked === true && { isBaked: true }) }
  })
