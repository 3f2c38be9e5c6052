import { z } from 'zod'

const errorSchema = z.object({
  error: z.looseObject({
    message: z.string(),
    type: z.string().nullable(),
    param: z.string().nullable(),
    code: z.string().nullable(),
  }),
})

/** The error of an answer, which must have OpenAI's shape. */
export async function errorOf(answer: Response) {
  return errorSchema.parse(await answer.json()).error
}

export type StreamedEvents = {
  text: string
  /** The `data` of each event, in order. */
  events: string[]
  comments: string[]
  /** How many `[DONE]` there were. */
  terminators: number
  /** The errors among the events. */
  errors: z.infer<typeof errorSchema>['error'][]
}

/** A stream's text taken apart. Throws where an error event has not OpenAI's shape. */
export function takeApart(text: string): StreamedEvents {
  const frames = text.split(/\r?\n\r?\n/).filter((frame) => frame !== '')
  const events: string[] = []
  const comments: string[] = []
  for (const frame of frames)
    if (frame.startsWith('data: ')) events.push(frame.slice('data: '.length))
    else if (frame.startsWith(':')) comments.push(frame)
    else throw new Error(`neither an event nor a comment: ${frame}`)
  return {
    text,
    events,
    comments,
    terminators: events.filter((event) => event === '[DONE]').length,
    errors: events.flatMap((event) => errorIn(event) ?? []),
  }
}

function errorIn(event: string): z.infer<typeof errorSchema>['error'] | undefined {
  if (!/^\{\s*"error"/.test(event)) return undefined
  return errorSchema.parse(JSON.parse(event)).error
}

export async function eventsOf(answer: Response): Promise<StreamedEvents> {
  return takeApart(await answer.text())
}

/** The text that a stream's chunks add up to. */
export function contentOf(events: readonly string[]): string {
  const chunk = z.looseObject({
    choices: z
      .array(z.looseObject({ delta: z.looseObject({ content: z.string().nullish() }).optional() }))
      .nullish(),
  })
  let text = ''
  for (const event of events)
    if (event !== '[DONE]')
      for (const { delta } of chunk.parse(JSON.parse(event)).choices ?? [])
        text += delta?.content ?? ''
  return text
}
