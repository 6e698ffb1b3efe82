/** What an input of keys has to be. */
export interface DigitRules {
  readonly min: number
  readonly max: number
  /** How long the first key may take once the prompt is over; milliseconds. */
  readonly firstMs: number
  /** How long each later key may take; milliseconds. */
  readonly nextMs: number
  /** Keys that end the input and are no part of it. */
  readonly terminators: ReadonlySet<string>
}

/** Why an input is over: it is as long as it may be, a terminator was pressed, or no further key came in time. */
export type InputEnd = 'full' | 'terminator' | 'time'

/** An input as far as it came. Times are on the clock of whoever asks; milliseconds. */
export interface Input {
  readonly digits: string
  /** When it is over if no key comes; undefined while the prompt runs before the first key, and at the end. */
  readonly dueAt: number | undefined
  readonly end: InputEnd | undefined
  readonly terminator: string
}

/** Nothing pressed yet, the prompt still to be heard. */
export const NO_INPUT: Input = { digits: '', dueAt: undefined, end: undefined, terminator: '' }

/** The prompt is over, or there is none: the first key is due. */
export function promptOver(rules: DigitRules, input: Input, at: number): Input {
  return input.end !== undefined || input.dueAt !== undefined ? input : { ...input, dueAt: at + rules.firstMs }
}

/** A key was pressed. What comes after the end is no part of the input. */
export function keyPressed(rules: DigitRules, input: Input, key: string, at: number): Input {
  if (input.end !== undefined) return input
  if (rules.terminators.has(key)) return { ...input, dueAt: undefined, end: 'terminator', terminator: key }
  const digits = input.digits + key
  if (digits.length >= rules.max) return { ...input, digits, dueAt: undefined, end: 'full' }
  return { ...input, digits, dueAt: at + rules.nextMs }
}

/** The time moved on. */
export function timePassed(input: Input, at: number): Input {
  if (input.dueAt === undefined || at < input.dueAt) return input
  return { ...input, dueAt: undefined, end: 'time' }
}

/** Whether an input that is over is long enough. */
export function isEnough({ min }: DigitRules, { digits }: Input): boolean {
  return digits.length >= min
}
