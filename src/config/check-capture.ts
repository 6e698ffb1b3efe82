import { overlapsWithin, sound, streamOverRequests } from './check-subjects.js'
import type { Fault } from './fault.js'
import { STREAM_NAME, STREAM_SUBJECTS, XCC_EVENT_SUBJECTS } from './nats-link-schema.js'
import { subjectCovers, subjectsOverlap } from './nats-subjects.js'
import type { RawLink } from './raw-view.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** Faults of what a link records: over requests, in part only, in two streams. */
export function checkCapture(source: YamlSource, link: RawLink): Fault[] {
  if (!link.captures) return []
  const observed = link.observe ?? XCC_EVENT_SUBJECTS
  const recorded = link.captureSubjects ?? observed
  const path: YamlPath =
    link.captureSubjects === undefined ? [...link.path, 'observe'] : [...link.path, 'capture', 'subjects']
  return [
    ...overlapsWithin(source, path, link.captureSubjects, 'NATS refuses such a stream'),
    ...streamOverRequests(source, path, recorded, link.observePrefix),
    ...partsOnly(source, path, recorded, observed),
    ...secondStream(source, link, path, recorded),
  ]
}

/** The rest of a subject that is recorded in part could not be told from what is recorded. */
function partsOnly(
  source: YamlSource,
  path: YamlPath,
  recorded: readonly string[],
  observed: readonly string[],
): Fault[] {
  return sound(recorded).flatMap(({ subject, index }) => {
    const all = sound(observed).filter((each) => subjectsOverlap(subject, each.subject))
    if (all.length === 0) {
      const what = `nothing that is observed is recorded by \`${subject}\``
      return [source.fault([...path, index], 'config.stream', what, 'name subjects that are in `observe`')]
    }
    const parted = all.find((each) => !subjectCovers(subject, each.subject))
    if (parted === undefined) return []
    const what = `\`${subject}\` records only a part of the observed \`${parted.subject}\``
    return [
      source.fault([...path, index], 'config.stream', what, 'record all of it, or observe both parts by themselves'),
    ]
  })
}

/** NATS refuses two streams over one subject, so the one that we deliver to records as well, or has nothing in common. */
function secondStream(source: YamlSource, link: RawLink, path: YamlPath, recorded: readonly string[]): Fault[] {
  if (link.deliver !== 'jetstream') return []
  const name = link.streamName ?? STREAM_NAME
  const taken = sound(link.streamSubjects ?? STREAM_SUBJECTS)
  const { observePrefix = '' } = link
  const isCovered = (subject: string) => taken.some((each) => subjectCovers(each.subject, observePrefix + subject))
  const serves = link.captureStream === undefined || link.captureStream === name
  if (serves && recorded.every(isCovered)) return []
  return sound(recorded).flatMap(({ subject, index }) => {
    const other = taken.find((each) => subjectsOverlap(each.subject, observePrefix + subject))
    if (other === undefined) return []
    const what = `\`${observePrefix}${subject}\` overlaps with \`${other.subject}\` of the stream ${name}, which this link delivers to`
    const right = 'let that stream take all that is recorded, and name no other, or nothing of it'
    return [source.fault([...path, index], 'config.stream', what, right)]
  })
}
