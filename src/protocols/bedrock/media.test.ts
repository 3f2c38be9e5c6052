import { describe, expect, test } from 'bun:test'
import type { MediaPart, Message } from '../generation'
import type { JsonValue } from '../json'
import { contentOf, HI, render, text } from './fixtures/render'

describe('media', () => {
  const PNG = 'iVBORw0KGgoAAAA='
  const media = (given: Partial<MediaPart>): MediaPart => ({
    type: 'media',
    media: 'image',
    data: { base64: PNG },
    ...given,
  })

  test.each<[MediaPart, JsonValue, string]>([
    [media({ mimeType: 'image/png' }), { image: { format: 'png', source: { bytes: PNG } } }, ''],
    [
      media({}),
      { image: { format: 'png', source: { bytes: PNG } } },
      'messages.0.content.0;rewritten',
    ],
    [
      media({ mimeType: 'image/jpg' }),
      { image: { format: 'jpeg', source: { bytes: PNG } } },
      'messages.0.content.0;rewritten',
    ],
    [
      media({ mimeType: 'image/webp', data: { url: 's3://bucket/key' } }),
      { image: { format: 'webp', source: { s3Location: { uri: 's3://bucket/key' } } } },
      '',
    ],
    [
      media({ media: 'video', mimeType: 'video/quicktime' }),
      { video: { format: 'mov', source: { bytes: PNG } } },
      '',
    ],
    [
      media({ media: 'audio', mimeType: 'audio/wav' }),
      { audio: { format: 'wav', source: { bytes: PNG } } },
      '',
    ],
    [
      media({ media: 'file', mimeType: 'text/plain', data: { text: 'words' }, name: 'notes' }),
      { document: { format: 'txt', name: 'notes', source: { text: 'words' } } },
      '',
    ],
    [
      media({ media: 'file', data: { base64: 'AAAA' }, name: 'blob' }),
      { document: { name: 'blob', source: { bytes: 'AAAA' } } },
      '',
    ],
    [
      media({
        media: 'file',
        data: { base64: 'AAAA' },
        mimeType: 'text/csv',
        name: 'Q3_sales.csv',
      }),
      { document: { format: 'csv', name: 'Q3-sales-csv', source: { bytes: 'AAAA' } } },
      'messages.0.content.0.name;rewritten',
    ],
    [
      media({ mimeType: 'image/png', detail: 'high' }),
      { image: { format: 'png', source: { bytes: PNG } } },
      'messages.0.content.0.detail;dropped',
    ],
  ])('%j', (part, block, lost) => {
    const rendered = contentOf(part, text('?'))
    expect(rendered.content).toEqual([block, { text: '?' }])
    expect(rendered.lost).toBe(lost)
  })

  test.each<MediaPart>([
    media({ mimeType: 'image/png', data: { url: 'https://example.com/a.png' } }),
    media({ data: { fileId: 'file-1' } }),
    media({ mimeType: 'image/bmp' }),
    media({ data: { base64: 'AAAA' } }),
    media({ media: 'file', mimeType: 'application/zip' }),
    media({ media: 'audio', data: { base64: 'AAAA' } }),
  ])('%j can not be said', (part) => {
    expect(contentOf(text('?'), part)).toEqual({
      content: [{ text: '?' }],
      lost: 'messages.0.content.1;dropped',
    })
  })

  test('documents have names, no two the same, and those without one lose the given one again', () => {
    const file = (name?: string): MediaPart =>
      media({ media: 'file', mimeType: 'application/pdf', name })
    const parts = [file(), file('report'), file('Report'), file(), file('報告'), text('read them')]
    const { again, body, lost } = render({ messages: [{ role: 'user', parts }] })
    const names = JSON.stringify(body).match(/"name":"[^"]*"/g)
    expect(names).toEqual([
      '"name":"unnamed-document-1"',
      '"name":"report"',
      '"name":"Report-2"',
      '"name":"unnamed-document-2"',
      '"name":"unnamed-document-3"',
    ])
    expect(lost).toBe('messages.0.content.2.name;rewritten, messages.0.content.4.name;rewritten')
    const read = again.messages[0]?.parts.map((part) => ('name' in part ? part.name : 'none'))
    expect(read?.slice(0, 4)).toEqual(['none', 'report', 'Report-2', 'none'])
  })

  test('the model can show nothing in a conversation', () => {
    const messages: Message[] = [
      HI,
      { role: 'assistant', parts: [media({ mimeType: 'image/png' })] },
    ]
    expect(render({ messages }).lost).toBe('messages.1.content.0;dropped')
  })
})
