/** What `slm-copilot status` shows, as a value: `--json` prints it, and `--schema` its schema. */
import * as z from 'zod'
import { companionKinds } from '../requests/services.ts'
import { stageNames } from '../stages.ts'

const time = z.iso.datetime()
const bytes = z.int().min(0)
const tokensPerSecond = z.strictObject({ prompt: z.number().nullable(), generation: z.number().nullable() })

const stageSchema = z.strictObject({
  result: z.enum(['success', 'failure', 'running', 'interrupted']),
  startedAt: time,
  endedAt: time.nullable(),
  problem: z.string().nullable().describe('Why it failed'),
})

/** Each is null if it could not be read; `unknown` then says why. */
const sections = {
  stages: z
    .strictObject({
      framework: z.string().nullable().describe("The framework's status, such as bootstrap_success"),
      ...(Object.fromEntries(
        stageNames.map(name => [name, stageSchema.nullable().describe('Null if it has not been run')]),
      ) as Record<(typeof stageNames)[number], z.ZodNullable<typeof stageSchema>>),
    })
    .describe('The last run of each stage'),
  versions: z.strictObject({
    appliance: z.string(),
    llamaCpp: z.string(),
    nginx: z.string(),
    model: z.string().describe('The model in the image'),
  }),
  plan: z.strictObject({
    state: z.enum(['serving', 'waiting', 'unavailable', 'routing']),
    model: z.string().describe('The model that is served, or requested'),
    contextSize: z.int().describe('Tokens per conversation'),
    slots: z.int().describe('Conversations at once; on a router, of all its copilots'),
    threads: z.int(),
    kvType: z.string(),
    companions: z
      .array(
        z.strictObject({
          kind: z.enum(companionKinds),
          model: z.string(),
          contextSize: z.int().describe('Tokens per request'),
          memory: bytes.describe('Bytes, as planned'),
          isInstalled: z.boolean().describe('False while its model is being downloaded'),
        }),
      )
      .describe('The services beside chat'),
  }),
  fleet: z
    .array(
      z.strictObject({
        name: z.string(),
        address: z.string(),
        model: z.string(),
        slots: z.int(),
        busy: z.int().nullable().describe('Requests in progress; null if HAProxy does not have it yet'),
        state: z.string().describe("HAProxy's word, such as UP, DOWN or DRAIN"),
        version: z.string(),
        since: time,
      }),
    )
    .describe('On a router, the copilots that it passes requests on to'),
  floatingAddresses: z
    .array(z.strictObject({ address: z.string(), isHere: z.boolean().describe('Or else at another router') }))
    .describe('On a router, the addresses that it shares with another'),
  services: z.array(
    z.strictObject({
      unit: z.string(),
      isActive: z.boolean(),
      isEnabled: z.boolean(),
      since: time.nullable().describe('When it last became active'),
      problem: z
        .string()
        .nullable()
        .describe('Why a service beside chat does not answer, although it is active; null if it does'),
    }),
  ),
  certificate: z.strictObject({
    mode: z.enum(['private', 'supplied', 'acme']),
    names: z.array(z.string()),
    ends: time,
    daysLeft: z.int().describe('Negative if it has expired'),
  }),
  addresses: z
    .array(z.string())
    .describe('Base URLs of the API that the certificate covers, the preferred first'),
  smokeTest: z.strictObject({
    at: time,
    depth: z.enum(['full', 'light']),
    problem: z.string().nullable().describe('Null if it passed'),
  }),
  speed: z
    .strictObject({
      atStart: tokensPerSecond.nullable().describe('Measured after the last start'),
      sinceStart: tokensPerSecond.describe(
        'Mean over all requests since llama-server started; null for what it has not computed yet',
      ),
    })
    .describe('Tokens per second'),
  requests: z
    .strictObject({
      total: z.int(),
      refused: z.record(z.string(), z.int()).describe('Status → requests'),
    })
    .describe("Clients' requests in the last hour"),
  memory: z
    .strictObject({
      used: bytes.describe('Anonymous memory of llama-server'),
      mapped: bytes.describe('Files that it has mapped'),
      plannedAfterStart: bytes,
      plannedAtMost: bytes,
      isWithinPlan: z.boolean(),
    })
    .describe('Bytes'),
  disks: z.array(z.strictObject({ folder: z.string(), free: bytes, size: bytes })).describe('Bytes'),
  pending: z.array(z.string()).describe('What is about to happen, or waits for somebody: sentences'),
  notes: z.array(z.string()).describe('Limitations and warnings: sentences'),
}

export type SectionName = keyof typeof sections
export const sectionNames = Object.keys(sections) as SectionName[]

type Sections = { [Name in SectionName]: z.ZodNullable<(typeof sections)[Name]> }
const nullable = Object.fromEntries(
  Object.entries(sections).map(([name, schema]) => [name, z.nullable(schema as z.ZodType)]),
) as unknown as Sections

export const statusSchema = z.strictObject({
  schema: z.literal(1).describe('Raised when a field is removed or changes its meaning'),
  at: time,
  isServing: z.boolean().describe('The exit code is 0 if it is, else 1'),
  problem: z.string().nullable().describe('Why nothing is served'),
  ...nullable,
  unknown: z
    .partialRecord(z.enum(sectionNames as [SectionName, ...SectionName[]]), z.string())
    .describe('Section → why it is null'),
})

export type ApplianceStatus = z.infer<typeof statusSchema>
export type SectionValue<Name extends SectionName> = z.infer<(typeof sections)[Name]>

/** The same as JSON Schema. */
export const jsonSchema = () => z.toJSONSchema(statusSchema)
