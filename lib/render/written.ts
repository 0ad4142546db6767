/** The first line of the files that the appliance writes, for whoever finds them; where comments begin with `#`. */
export const written = '# Written by slm-copilot.'

export const writtenAtConfigure = '# Written by slm-copilot at every configure: changes made here are lost.'
