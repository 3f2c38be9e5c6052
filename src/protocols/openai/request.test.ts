import { describe, expect, test } from 'bun:test'

import { GatewayError } from '../../errors/gateway-error'
import { parseRequest, renderRequest } from './request'

const parse = (text: string) => parseRequest('generate', new TextEncoder().encode(text), {})

function render(text: string, changes: { model: string; askForUsage?: boolean }): string {
  const rendered = renderRequest(parse(text), { askForUsage: false, ...changes })
  return new TextDecoder().decode(rendered)
}

function faultOf(text: string) {
  try {
    parse(text)
  } catch (error) {
    const { code, param, message } = GatewayError.from(error)
    return { code, param, message }
  }
  throw new Error('it was taken')
}

describe('parseRequest', () => {
  test('reads what the stages need', () => {
    const text =
      '{"model":"openai/gpt-4o-mini","n":3,"stream":true,"max_tokens":5,"max_completion_tokens":9,"stream_options":{"include_usage":true}}'
    expect(parse(text)).toMatchObject({
      operation: 'generate',
      model: 'openai/gpt-4o-mini',
      stream: true,
      includesUsage: true,
      choices: 3,
      outputLimit: 9,
    })
  })

  test('has what is left out by its default', () => {
    expect(parse(' {"model":"a"} ')).toMatchObject({
      stream: false,
      includesUsage: false,
      choices: 1,
      outputLimit: undefined,
    })
  })

  test.each(['n', 'max_tokens'])('leaves a %s that is no count to the upstream', (name) => {
    for (const value of ['null', '"3"', '-1', '2.5', '1e3', '9999999999999999999', '{}'])
      expect(parse(`{"model":"a","${name}":${value}}`)).toMatchObject({
        choices: 1,
        outputLimit: undefined,
      })
  })

  test('reads a model’s name however its letters are spelled', () => {
    expect(parse('{"model":"m\\u00fc\\/\\"x"}').model).toBe('mü/"x')
    expect(parse('{"model":"mü"}').model).toBe('mü')
  })

  test('does not stream what never streams', () => {
    const body = new TextEncoder().encode('{"model":"a","stream":true}')
    expect(parseRequest('embed', body, {}).stream).toBe(false)
  })

  test.each(['model', 'stream', 'stream_options'])('refuses a second %s', (name) => {
    const value = { model: '"b"', stream: 'true', stream_options: '{}' }[name]
    expect(faultOf(`{"model":"a","${name}":${value},"${name}":${value}}`)).toMatchObject({
      code: 'invalid_request',
      param: name,
    })
  })

  test.each([
    ['"\\u006dodel":"b"', 'model'],
    ['"strea\\u006D":true', 'stream'],
    ['"stream\\u005Foptions":{}', 'stream_options'],
  ])('refuses the escaped member %s', (member, param) => {
    expect(faultOf(`{${member}}`)).toMatchObject({ code: 'invalid_request', param })
  })

  test('says where JSON ends to be JSON, in bytes and lines', () => {
    expect(faultOf('{"ü":1,\n "model" "a"}').message).toContain('byte 18 (line 2, column 10)')
  })
})

describe('renderRequest', () => {
  test('gives the very bytes back where nothing is to be changed', () => {
    const envelope = parse('{ "model" : "a" }')
    expect(renderRequest(envelope, { model: 'a', askForUsage: false })).toBe(envelope.body)
  })

  test('replaces the model, wherever it stands, by a name that JSON can hold', () => {
    expect(render('{"model":"a/b"}', { model: 'b' })).toBe('{"model":"b"}')
    expect(render('{"x":"é","model" :\t"a/b", "y":1.0}', { model: 'q"\\ü' })).toBe(
      '{"x":"é","model" :\t"q\\"\\\\ü", "y":1.0}'
    )
  })

  test('changes both, in whichever order they stand', () => {
    const changes = { model: 'b', askForUsage: true }
    expect(
      render('{"stream_options":{"include_usage":false},"stream":true,"model":"a/b"}', changes)
    ).toBe('{"stream_options":{"include_usage":true},"stream":true,"model":"b"}')
    expect(render('{"model":"a/b","stream":true\n}\n', changes)).toBe(
      '{"model":"b","stream":true\n,"stream_options":{"include_usage":true}}\n'
    )
  })
})
