import { parentPort } from 'node:worker_threads'
import { countTokens } from './count-tokens'
import { type CountAnswer, toQuestion } from './token-messages'
import { loadVocabulary } from './vocabulary'

if (parentPort) parentPort.on('message', createHandler(parentPort.postMessage.bind(parentPort)))

function createHandler(post: (answer: CountAnswer) => void) {
  const countPiece = loadVocabulary()
  return (message: unknown) => {
    const question = toQuestion(message)
    if (question)
      post({ id: question.id, counts: question.texts.map((text) => countTokens(text, countPiece)) })
  }
}
