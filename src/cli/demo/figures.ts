/** What a gateway counted, in one line. */
export function figuresLine(metrics: string): string {
  const sum = (name: string) => {
    const values = metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+(?:\\.\\d+)?)$`, 'gm'))
    return [...values].reduce((total, [, value]) => total + Number(value), 0)
  }
  const own = sum('gateway_looped_messages_total')
  const taken = sum('gateway_taken_messages_total')
  const sent = sum('gateway_sent_messages_total')
  const dead = sum('gateway_dead_letter_messages_total')
  const dropped = sum('gateway_dropped_messages_total')
  return `${taken} messages taken, ${own} of them its own and cut; ${sent} sent on, ${dead} dead ${dead === 1 ? 'letter' : 'letters'}, ${dropped} lost`
}
