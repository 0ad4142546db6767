/** The values of the marketplace's YAML files. */
import { variables } from '../../../lib/appliance/context/variables.ts'
import { wizardName } from '../../../lib/appliance/context/wizard.ts'
import { description, serviceDescription } from './description.ts'
import type { ListingFacts } from './facts.ts'
import { certificationKey, listing } from './listing.ts'
import { serviceTemplate } from './service.ts'
import { template } from './template.ts'

export const testFile = `00-${listing.name}_basic.rb`

/** What both entries say of the image. */
const aboutImage = ({ image, os }: ListingFacts) => ({
  format: 'qcow2',
  creation_time: image.created,
  'os-id': os.id,
  'os-release': os.release,
  'os-arch': os.arch,
  hypervisor: 'KVM',
})

/** <UUID>.yaml: what the marketplace shows, and the template and image that it imports. */
export const appliance = (facts: ListingFacts) => ({
  name: listing.title,
  version: facts.version,
  'one-apps_version': facts.oneAppsVersion,
  publisher: listing.publisher,
  publisher_email: facts.publisherEmail,
  description: description(facts),
  short_description: listing.shortDescription,
  tags: listing.tags,
  ...aboutImage(facts),
  opennebula_version: listing.openNebula,
  opennebula_template: template(facts.model.name),
  logo: listing.logo,
  images: [
    {
      name: `${listing.name}-${facts.version}`,
      url: facts.image.url,
      type: 'OS',
      dev_prefix: 'vd',
      driver: 'qcow2',
      size: facts.image.size,
      checksum: { md5: facts.image.md5, sha256: facts.image.sha256 },
    },
  ],
})

/** <UUID>.yaml of the OneFlow service, whose roles use the appliance above: it is imported along with it. */
export const serviceAppliance = (facts: ListingFacts) => {
  const { roles, ...template } = serviceTemplate()
  return {
    name: listing.serviceTitle,
    version: facts.version,
    publisher: listing.publisher,
    publisher_email: facts.publisherEmail,
    description: serviceDescription,
    short_description: listing.serviceDescription,
    tags: [...listing.tags, 'oneflow', 'service'],
    ...aboutImage(facts),
    opennebula_version: listing.serviceOpenNebula,
    type: 'SERVICE_TEMPLATE',
    roles: Object.fromEntries(roles.map(({ name }) => [name, listing.title])),
    // The import fills in the identifiers of VM templates.
    opennebula_template: { ...template, roles: roles.map(({ template_id: _, ...role }) => role) },
    logo: listing.logo,
    images: [],
  }
}

/**
 * metadata.yaml: how the certification starts the appliance. `:prefixed: false`, because the names of the parameters
 * have the prefix ONEAPP_ already.
 */
export const metadata = (facts: ListingFacts) => ({
  ':app': {
    ':name': listing.name,
    ':type': 'service',
    ':os': { ':type': 'linux', ':base': facts.os.base },
    ':hypervisor': 'KVM',
    ':context': {
      ':prefixed': false,
      ':params': { [`:${wizardName(variables.password)}`]: certificationKey },
    },
  },
  ':one': {
    ':template': {
      NAME: 'base',
      TEMPLATE: {
        ARCH: 'x86_64',
        CONTEXT: {
          NETWORK: 'YES',
          TOKEN: 'YES',
          REPORT_READY: 'YES',
          SET_HOSTNAME: '$NAME',
          SSH_PUBLIC_KEY: '$USER[SSH_PUBLIC_KEY]',
        },
        CPU: String(listing.vcpu),
        VCPU: String(listing.vcpu),
        CPU_MODEL: { MODEL: 'host-passthrough' },
        GRAPHICS: { LISTEN: '0.0.0.0', TYPE: 'vnc' },
        MEMORY: String(listing.memory),
        NIC: { NETWORK: 'service' },
        NIC_DEFAULT: { MODEL: 'virtio' },
      },
    },
    ':datastore_name': 'default',
    // Seconds. It ends up in an environment variable: a text.
    ':timeout': '90',
  },
  ':infra': { ':disk_format': 'qcow2', ':apps_path': '/var/tmp' },
})

/** context.yaml: what the certification's `generate_context` writes, for the tests of the context agent. */
export const contextTests = {
  ':tests': {
    [listing.name]: {
      ':image_name': `${listing.name}.qcow2`,
      ':type': 'linux',
      ':microenvs': ['context-kvm'],
      ':slow': true,
      ':enable_netcfg_common': true,
      ':enable_netcfg_ip_methods': true,
    },
  },
}

export const tests = [testFile]
