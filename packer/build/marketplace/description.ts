/** The appliance's description in the marketplace, in Markdown. */
import { marketplace } from '../../../lib/appliance/pins.ts'
import type { ListingFacts } from './facts.ts'
import { europeanModels, listing } from './listing.ts'

const gigabytes = (bytes: number | string) =>
  typeof bytes === 'number' ? `${(bytes / 1e9).toFixed(1)} GB` : bytes

/** Where the appliance's README is in the marketplace's repository. */
const readmeUrl = `${marketplace.repository}/blob/master/appliances/${listing.name}/README.md`

/** Why it suits those who must keep code and data under European control. */
function sovereignty(model: string): string {
  const origin = (europeanModels as Record<string, string | undefined>)[model]
  return [
    '**Sovereign by design.**',
    ...(origin === undefined ? [] : [`${origin}; OpenNebula is European, too.`]),
    'Code, prompts and answers stay on your own servers, under your own jurisdiction: no cloud account, no telemetry, no licence server.',
    'The model has no network access at all, which the kernel enforces.',
  ].join(' ')
}

export const description = ({ model, os, llamaCpp }: ListingFacts): string =>
  [
    'A private AI coding assistant for a whole team, on CPUs only. Developers connect Cline, Continue, aider, opencode, Claude Code, Codex, or any other client of the OpenAI or Anthropic API, and nothing leaves the data centre.',
    sovereignty(model.name),
    '**Features:**',
    [
      `llama.cpp serves \`${model.name}\` (in the image: ${gigabytes(model.size)}, licence ${model.licence}) on plain CPUs, without a GPU`,
      'OpenAI and Anthropic APIs, with streaming, tool calls and JSON Schema',
      "TLS from the first minute: Let's Encrypt, your own certificate, or a CA of the VM's own",
      'A key for each developer, separate prompt caches, and limits that keep one from slowing down the others',
      'Other models by one context variable, downloaded and verified while the first keeps serving',
      "Configured by OpenNebula's context, also while it runs; reports READY once it answers",
      'A landing page that says how to connect, and a report that says what slows inference down',
    ]
      .map(feature => `- ${feature}`)
      .join('\n'),
    `**Inside:** ${os.id} ${os.release}, llama.cpp ${llamaCpp}, and nginx as TLS proxy and request filter.`,
    `**Quick start:** import it, and instantiate the template with ${listing.vcpu} vCPUs and ${listing.memory / 1024} GB of memory (every input may stay empty). Wait for READY, read \`/etc/one-appliance/config\` as root, and send developers to \`https://VM_ADDRESS/\`.`,
    `See the [documentation](${readmeUrl}).`,
  ].join('\n\n')

export const serviceDescription = [
  'One address, one CA and a key for each developer; behind it as many copilots as there is work for. The router sends each conversation to the copilot that remembers its prompt. OneFlow adds a copilot when more than 80 % of the slots are busy for three minutes, and removes one when less than 20 % are for ten; a copilot that is removed finishes its answers in progress first.',
  'Requires OneFlow and OneGate, and hosts whose `SHUTDOWN_TIMEOUT` (in `/var/lib/one/remotes/etc/vmm/kvm/kvmrc`, 180 s by default) is at least 330 s.',
  `Based on the VM template of [${listing.title}](/appliance/${listing.uuid}).`,
].join('\n\n')
