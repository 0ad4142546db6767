/** What the marketplace says about the appliance that follows from nothing else. */
import type { catalogue } from '../../../lib/appliance/models/catalogue.ts'

export const listing = {
  /** The appliance's identity in the marketplace: fixed for ever. */
  uuid: '1f96f5fa-2b3f-4daf-b8b3-9b4185cad761',
  /** Likewise that of the OneFlow service. */
  serviceUuid: 'f81a4d8f-bacd-4ec7-8bb7-7755a6a598ba',
  /**
   * Its folder, image and make target. No underscore: the certification's `generate_context` takes what follows the
   * last one. No digit: the Makefile cuts there.
   */
  name: 'slm-copilot',
  title: 'SLM-Copilot',
  publisher: 'SLM-Copilot maintainers',
  serviceTitle: 'SLM-Copilot fleet',
  serviceDescription: 'Private AI coding assistant for many developers: a router and copilots, by OneFlow',
  /** OneFlow before 7.0 takes another format. */
  serviceOpenNebula: '7.0',
  shortDescription: 'Private AI coding assistant for a whole team, on CPUs only',
  tags: [
    'ai',
    'coding-assistant',
    'llm',
    'llama.cpp',
    'openai-api',
    'anthropic-api',
    'cpu-only',
    'private',
    'sovereign',
    'debian',
  ],
  openNebula: '6.10, 7.0',
  /** Of the VM, in the published template: `memory` in MB. */
  vcpu: 16,
  memory: 32_768,
  logo: 'slm-copilot.png',
} as const

/** The key with which the certification starts the appliance. Its VM is deleted afterwards. */
export const certificationKey = 'for-certification-only'

/** Who made the models that come from Europe. */
export const europeanModels: Partial<Record<keyof typeof catalogue, string>> = {
  'devstral-small-2':
    'The model, Devstral Small 2, is made in France by Mistral AI, and its weights are open (Apache-2.0)',
}
