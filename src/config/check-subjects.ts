import type { Fault } from './fault.js'
import { REQUEST_SUBJECTS, subjectMistake, subjectsOverlap } from './nats-subjects.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** Subjects that are well-formed, with their place in the list; the others have faults of their own. */
export function sound(subjects: readonly string[] | undefined): { subject: string; index: number }[] {
  const all = (subjects ?? []).map((subject, index) => ({ subject, index }))
  return all.filter(({ subject }) => subjectMistake(subject, 'allowed') === undefined)
}

/** Faults of a list of subjects in which two overlap. */
export function overlapsWithin(
  source: YamlSource,
  path: YamlPath,
  subjects: readonly string[] | undefined,
  because: string,
): Fault[] {
  const all = sound(subjects)
  return all.flatMap(({ subject, index }, later) => {
    const earlier = all.slice(0, later).find((other) => subjectsOverlap(other.subject, subject))
    if (earlier === undefined) return []
    const what = `\`${subject}\` and \`${earlier.subject}\` overlap: ${because}`
    return [source.fault([...path, index], 'config.subject', what, 'keep the wider one')]
  })
}

/** Faults of subjects that a stream must not take. @param prefix stands before each of them. */
export function streamOverRequests(
  source: YamlSource,
  path: YamlPath,
  subjects: readonly string[] | undefined,
  prefix = '',
): Fault[] {
  return sound(subjects).flatMap(({ subject, index }) => {
    const request = REQUEST_SUBJECTS.find((each) => subjectsOverlap(each, prefix + subject))
    if (request === undefined) return []
    const what = `a stream over \`${prefix}${subject}\` covers \`${request}\` and would answer requests itself`
    const right = 'name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>'
    return [source.fault([...path, index], 'config.stream', what, right)]
  })
}
