/** What is wrong with the text of a list of models; `undefined` for nothing. */
export function checkModelList(text: string, name: string): string | undefined {
  // Loaded when there is a list to check: the start is spared it.
  const files: typeof import('../models/load-model-list') = require('../models/load-model-list')
  const { ModelListError }: typeof import('../models/model-list') = require('../models/model-list')
  try {
    files.loadModelListFile(text, name)
    return undefined
  } catch (error) {
    if (error instanceof ModelListError) return error.message
    throw error
  }
}
