/** The stages: what the bake and the framework call. */
import { contextOption, paths } from '../../../lib/appliance/paths.ts'
import { type Command, contextFile, dryRun, root, stage } from './command.ts'

export const stageCommands = {
  install: {
    summary: 'at bake time: install packages, llama-server, model',
    details: 'Run again, it downloads nothing and changes nothing.',
    options: {
      release: {
        argument: 'FILE',
        isPath: true,
        help: 'install the release in FILE, not the production release',
      },
      mirror: { argument: 'URL', help: 'download llama.cpp and the model from a folder at URL' },
      prepare: { help: 'for upgrade: all that the version in use does not notice' },
      switch: { help: 'for upgrade: the rest' },
      ...root,
      ...dryRun,
    },
    worksElsewhere: () => true,
    ...stage,
  },
  sbom: {
    summary: 'at bake time, last: write the bill of materials',
    details: `Writes ${paths.sbom}
and ${paths.notices},
for the packages that are installed.`,
    options: {
      'one-apps': { argument: 'COMMIT', help: "the framework's commit in the image" },
      ...dryRun,
    },
    ...stage,
  },
  configure: {
    summary: 'at every boot: write the files for the context',
    details: `Starts nothing. To run it by hand:
  slm-copilot configure ${contextOption}
Without the context file, all variables return to their defaults.`,
    options: { ...contextFile, ...root, ...dryRun },
    worksElsewhere: ({ root: folder }) => folder !== undefined,
    ...stage,
  },
  bootstrap: {
    summary: 'at every boot: start services, test them, write report',
    details: 'Starts, restarts or reloads only the services whose files have changed.',
    options: {
      report: { argument: 'FILE', isPath: true, help: `where to write the report (${paths.report})` },
      ...dryRun,
    },
    ...stage,
  },
} satisfies Record<string, Command>
