/** The appliance's own chat templates as managed files, which llama-server reads. */
import { type TemplateName, templateNames } from '../../../appliance/models/catalogue.ts'
import { templatePath } from '../../../appliance/paths.ts'
import { devstral } from './devstral.ts'
import { qwen } from './qwen.ts'

const texts: Record<TemplateName, string> = { devstral, 'qwen3.5': qwen }

/** All of them, whichever the model needs: llama-server's other settings say which it reads. */
export const chatTemplateFiles = () => templateNames.map(chatTemplateFile)

export const chatTemplateFile = (name: TemplateName) => ({
  path: templatePath(name),
  mode: 0o644,
  text: texts[name],
})
