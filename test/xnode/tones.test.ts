import { expect, test } from 'vitest'
import { toneOf } from '../../src/calls/xnode/tones.js'

test.each([
  ['one beat', '%(500,500,425)', '425/500,0/500', 1000],
  ['two frequencies', '%(200,100,350,440);loops=2', '350+440/200,0/100', 600],
  ['no pause', '%(1000,0,440)', '440/1000', 1000],
  ['several beats', '%(100,50,400);%(200,0,500)', '400/100,0/50,500/200', 350],
  ['repeats before the beats, and a volume', 'v=-7;L=3;%(100,0,400)', '400/100', 300],
  ['no end', '%(1000,4000,450);loops=-1', '450/1000,0/4000', undefined],
  ['a name', 'dial', 'dial', undefined],
  ["Asterisk's own list", '350+440/500,0/500;tonezone=fr', '350+440/500,0/500;tonezone=fr', undefined],
])('a tone script with %s', (_what, script, list, lastsMs) => {
  expect(toneOf(script)).toEqual({ list, lastsMs })
})

test.each([
  '%(a,b,400)',
  '%(100,100)',
  '%(100,100,1,2,3)',
  '%(0,0,400)',
  '%(100,0,400);loops=99999',
  '%(100,0,400);L=0',
  '%(100,0,400);x=1',
  'path=x;%(1,1,1)',
  '',
  'a b',
])('no tone: %j', (script) => {
  expect(toneOf(script)).toBeUndefined()
})
