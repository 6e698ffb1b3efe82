/** A tone as Asterisk plays it: its list, repeated until it is stopped, and how long it is to last. */
export interface Tone {
  readonly list: string
  /** Milliseconds; undefined for a tone that goes on until it is stopped. */
  readonly lastsMs: number | undefined
}

/** One beat: sound for so long, silence for so long, its frequencies; times in ms, frequencies in Hz. */
const BEAT = /^%\((\d{1,6}),(\d{1,6}),(\d{1,4}(?:\.\d)?(?:,\d{1,4}(?:\.\d)?){0,3})\)$/
/** What Asterisk's own lists and names of tones are made of. */
const NATIVE = /^[\w+*/!,;=.-]{1,200}$/
const MAX_REPEATS = 10_000

/**
 * Reads a tone script such as `%(2000,4000,440,480);loops=2`, of which it knows beats, `L=` (repeats), `loops=`
 * (-1: without end) and `v=` (volume, which Asterisk does not change). A text without beats passes as a list or a
 * name that Asterisk knows. Undefined for anything else.
 */
export function toneOf(script: string): Tone | undefined {
  if (!script.includes('%(')) return NATIVE.test(script) ? { list: script, lastsMs: undefined } : undefined
  const beats: string[] = []
  let [roundMs, repeats, loops] = [0, 1, 1]
  for (const part of script.replace(/\s+/g, '').split(';')) {
    if (part === '' || /^v=-?\d{1,3}(\.\d+)?$/.test(part)) continue
    const setting = /^(L|loops)=(-?\d{1,5})$/.exec(part)
    if (setting !== null) {
      if (setting[1] === 'L') repeats = Number(setting[2])
      else loops = Number(setting[2])
      continue
    }
    const beat = BEAT.exec(part)
    if (beat === null) return undefined
    const [, on, off, frequencies] = beat
    const hertz = frequencies!.split(',').map((each) => String(Math.round(Number(each))))
    // Asterisk mixes two frequencies at most.
    if (hertz.length > 2) return undefined
    beats.push(`${hertz.join('+')}/${on}`)
    if (Number(off) > 0) beats.push(`0/${off}`)
    roundMs += Number(on) + Number(off)
  }
  if (roundMs === 0 || repeats < 1 || repeats * Math.abs(loops) > MAX_REPEATS) return undefined
  return { list: beats.join(','), lastsMs: loops < 1 ? undefined : roundMs * repeats * loops }
}
