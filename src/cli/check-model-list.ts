import { loadModelListFile } from '../models/load-model-list'
import { ModelListError } from '../models/model-list'

/** What is wrong with the text of a list of models; `undefined` for nothing. */
export function checkModelList(text: string, name: string): string | undefined {
  try {
    loadModelListFile(text, name)
    return undefined
  } catch (error) {
    if (error instanceof ModelListError) return error.message
    throw error
  }
}
