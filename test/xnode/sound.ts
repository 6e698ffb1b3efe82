import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { TestAsterisk } from '../harness/index.js'
import { newUuid } from './legs.js'

/** Samples of a recording in WAV at 8,000 a second, of 32,767; waits until it is there. `name` is without its format. */
export async function samplesOf(asterisk: TestAsterisk, name: string): Promise<readonly number[]> {
  const { url, user, password } = asterisk
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  for (let tries = 0; ; tries++) {
    const path = `/ari/recordings/stored/${encodeURIComponent(name)}/file`
    const answer = await fetch(`${url}${path}`, { headers: { authorization } })
    if (answer.status === 200) {
      const wav = Buffer.from(await answer.arrayBuffer())
      return Array.from({ length: Math.floor((wav.length - 44) / 2) }, (_, at) => wav.readInt16LE(44 + 2 * at))
    }
    expect(tries, `no recording ${name}: ${answer.status}`).toBeLessThan(200)
    await delay(20)
  }
}

/** The loudest sample of a recording, of 32,767, and how long it is. */
export async function heardIn(
  asterisk: TestAsterisk,
  name: string,
): Promise<{ readonly peak: number; readonly seconds: number }> {
  const samples = await samplesOf(asterisk, name)
  return {
    peak: samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0),
    seconds: samples.length / 8000,
  }
}

/** Hertz of the voices that legs to `tone-HERTZ` have. */
const VOICES = { a: 400, b: 700, c: 1100 } as const
type Voice = keyof typeof VOICES

/** The service of the dialplan that speaks with a voice. */
export const speaks = (voice: Voice) => `tone-${VOICES[voice]}`

/** Whose voices the far end of a leg hears, e.g. `ac`: taken from the other half of its Local channel. */
export async function heardBy(asterisk: TestAsterisk, leg: string): Promise<string> {
  const { ari, app } = asterisk
  const id = `test-ear-${newUuid()}`
  const snooped = await ari('POST', `/channels/${encodeURIComponent(`${leg};2`)}/snoop/${id}`, { spy: 'in', app })
  expect(snooped.status, JSON.stringify(snooped.body)).toBe(200)
  for (let tries = 0; ; tries++) {
    const { status } = await ari('POST', `/channels/${id}/record`, { name: id, format: 'wav' })
    if (status === 201) break
    expect(tries, `${id} cannot be recorded: ${status}`).toBeLessThan(200)
    await delay(20)
  }
  await delay(1000) // what is recorded is as long as this
  await ari('DELETE', `/channels/${id}`)
  // Its file is whole once it is not live any more.
  await expect.poll(async () => (await ari('GET', `/recordings/live/${id}`)).status).toBe(404)
  return voicesIn(await samplesOf(asterisk, id))
}

/** Voices in samples. */
export function voicesIn(samples: readonly number[]): string {
  const voices = Object.keys(VOICES) as Voice[]
  return voices.filter((voice) => strengthOf(samples, VOICES[voice]) > 200).join('')
}

/** Waits until the far end of a leg hears these voices and no others: sound that changes its way may be away for a moment. */
export async function comesToHear(asterisk: TestAsterisk, leg: string, voices: string, what?: string): Promise<void> {
  for (let tries = 0; tries < 3; tries++) if ((await heardBy(asterisk, leg)) === voices) return
  expect(await heardBy(asterisk, leg), what).toBe(voices)
}

/** Samples of a tenth of a second, in which each of the voices has whole waves. */
const BLOCK = 800

/** Amplitude of one frequency in samples at 8,000 a second, of 32,767: the mean of blocks, for frames may be lost. */
function strengthOf(samples: readonly number[], hertz: number): number {
  const blocks = Array.from({ length: Math.floor(samples.length / BLOCK) }, (_, at) =>
    samples.slice(at * BLOCK, (at + 1) * BLOCK),
  )
  return blocks.reduce((sum, block) => sum + amplitudeOf(block, hertz), 0) / Math.max(1, blocks.length)
}

function amplitudeOf(samples: readonly number[], hertz: number): number {
  let [re, im] = [0, 0]
  for (const [at, sample] of samples.entries()) {
    const turn = (2 * Math.PI * hertz * at) / 8000
    re += sample * Math.cos(turn)
    im += sample * Math.sin(turn)
  }
  return (2 * Math.hypot(re, im)) / samples.length
}
