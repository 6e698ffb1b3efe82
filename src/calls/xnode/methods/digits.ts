import type { Fact } from '../../../model/index.js'
import { type DigitRequest, digitRequestOf } from '../digit-request.js'
import { type Input, isEnough, keyPressed, NO_INPUT, promptOver, timePassed } from '../digits.js'
import type { Programme } from '../media.js'
import type { ChannelMethod, ChannelRequest, NodeContext } from '../method.js'
import { resultOf } from '../outcome.js'
import { type Played, playProgramme } from '../player.js'
import { cutShort, done, type Result } from '../result.js'

/** Prompts, waits and tries together. */
const READ_MS = 1_800_000
const SLACK_MS = 5000

/**
 * ReadDTMF and ReadDigits: keys until there are enough, a terminator comes, or no key comes in time; a key ends the
 * prompt. Input that is too short or does not fit the pattern is asked for again, so many times. After the last try
 * the answer holds what was pressed, or nothing where it does not fit.
 */
export const readDigits: ChannelMethod = {
  on: 'channel',
  turn: 'to-the-end',
  deadlineMs: READ_MS + SLACK_MS,
  async run(node, request) {
    const read = digitRequestOf(node.tables, request.params)
    return 'refused' in read ? read.refused : tryAll(node, request, read.value)
  },
}

async function tryAll(node: NodeContext, request: ChannelRequest, wanted: DigitRequest): Promise<Result> {
  const endsAt = performance.now() + READ_MS
  for (let left = wanted.tries; ; left--) {
    const asked = await readOnce(node, request, wanted, endsAt)
    if (asked.kind === 'over') return asked.result
    const { input } = asked
    const { digits, terminator } = input
    const enough = isEnough(wanted.rules, input)
    const fits = enough && wanted.fits(digits)
    if (fits) return done({ dtmf: digits, terminator })
    const isLast = left <= 1 || performance.now() >= endsAt
    if (wanted.invalid !== undefined && (!isLast || wanted.invalidAtLast)) {
      const heard = await playProgramme(node, request.uuid, wanted.invalid, bounds(request, endsAt))
      if (heard.kind === 'over') return heard.result
      if (heard.kind === 'stopped') return cutShort({ dtmf: digits, terminator })
    }
    if (!isLast) continue
    const message = enough
      ? 'the input does not fit the pattern'
      : digits === ''
        ? 'no input'
        : 'the input is too short'
    return { ...done({ dtmf: enough ? '' : digits, terminator }), message }
  }
}

type Asked = { readonly kind: 'input'; readonly input: Input } | { readonly kind: 'over'; readonly result: Result }

/** Plays the prompt and takes keys, from the beginning of the prompt on. */
async function readOnce(
  node: NodeContext,
  request: ChannelRequest,
  { rules, prompt }: DigitRequest,
  endsAt: number,
): Promise<Asked> {
  const { uuid, stopped } = request
  const [enough, barge] = [new AbortController(), new AbortController()]
  let input = NO_INPUT
  let timer: NodeJS.Timeout | undefined
  const become = (next: Input) => {
    input = next
    clearTimeout(timer)
    if (input.end === 'time') enough.abort()
    if (input.dueAt === undefined) return
    timer = setTimeout(() => become(timePassed(input, input.dueAt ?? 0)), Math.max(0, input.dueAt - performance.now()))
  }
  const press = (fact: Fact): Input | undefined => {
    if (fact.kind !== 'dtmf' || fact.digit === undefined) return undefined
    barge.abort()
    become(keyPressed(rules, input, fact.digit.toUpperCase(), performance.now()))
    return input.end === undefined ? undefined : input
  }
  const signal = AbortSignal.any([stopped, enough.signal])
  const over = node.happenings.wait(uuid, press, { signal, timeoutMs: endsAt - performance.now() })
  try {
    const heard = await playPrompt(node, request, prompt, barge.signal, endsAt)
    if (heard.kind === 'over') return heard
    if (input === NO_INPUT) become(promptOver(rules, input, performance.now()))
    const outcome = await over
    if (outcome.kind === 'told' || (outcome.kind === 'stopped' && input.end !== undefined))
      return { kind: 'input', input }
    const { digits, terminator } = input
    const result = await resultOf(node, uuid, outcome, 'the input')
    return { kind: 'over', result: { ...result, dtmf: digits, terminator } }
  } finally {
    clearTimeout(timer)
    enough.abort()
  }
}

async function playPrompt(
  node: NodeContext,
  request: ChannelRequest,
  prompt: Programme | undefined,
  barge: AbortSignal,
  endsAt: number,
): Promise<Played> {
  if (prompt === undefined) return { kind: 'played' }
  const { signal, timeoutMs } = bounds(request, endsAt)
  return playProgramme(node, request.uuid, prompt, { signal: AbortSignal.any([signal, barge]), timeoutMs })
}

function bounds({ stopped }: ChannelRequest, endsAt: number) {
  return { signal: stopped, timeoutMs: Math.max(1, endsAt - performance.now()) }
}
