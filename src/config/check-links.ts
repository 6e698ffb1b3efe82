import { DEFAULT_APP, listenPlace } from './ari-link-schema.js'
import { listenAddress } from './ari-server-link-schema.js'
import { checkCapture } from './check-capture.js'
import { overlapsWithin, sound, streamOverRequests } from './check-subjects.js'
import type { Fault } from './fault.js'
import { STREAM_NAME, STREAM_SUBJECTS } from './nats-link-schema.js'
import { subjectsOverlap } from './nats-subjects.js'
import type { RawConfig, RawLink } from './raw-view.js'
import { oneOf } from './wording.js'
import type { YamlPath, YamlSource } from './yaml-source.js'

/** Faults between links: streams over requests, overlaps, queues, nodes, applications and ports that two links would share. */
export function checkLinks(source: YamlSource, { group, links, routes }: RawConfig): Fault[] {
  const isTarget = (link: RawLink) => routes.some((route) => route.to === link.name)
  const faults: Fault[] = []
  for (const link of links) {
    faults.push(...overlapsWithin(source, [...link.path, 'observe'], link.observe, 'a message would be taken twice'))
    faults.push(...checkStream(source, link), ...checkCapture(source, link), ...checkDeadLetters(source, link, links))
    if (link.type === 'ari' && isTarget(link)) faults.push(...checkUserEvents(source, link))
    if (link.type === 'nats' && isTarget(link)) faults.push(...checkObserved(source, link))
    if (link.isSteered && link.qualifiesIds) faults.push(steeredUnderOtherIds(source, link))
  }
  for (const [index, { from, to }] of routes.entries()) {
    if (routes.findIndex((each) => each.from === from && each.to === to) !== index) continue
    const [asterisk, bus] = [from, to].map((name) => links.find((link) => link.name === name))
    if (asterisk?.type === 'ari' && bus?.type === 'nats') faults.push(...compareNodeNames(source, asterisk, bus, group))
  }
  for (const [later, link] of links.entries()) {
    for (const earlier of links.slice(0, later)) {
      faults.push(...compareServerAndListener(source, earlier, link))
      if (earlier.type !== link.type) continue
      if (link.type === 'amqp') faults.push(...compareQueues(source, earlier, link))
      if (link.type === 'ari') faults.push(...compareAsterisks(source, earlier, link))
      if (link.type === 'ari-server') faults.push(...comparePorts(source, earlier, link))
      if (!link.servers.some((server) => earlier.servers.includes(server))) continue
      if (isTarget(link) && isTarget(earlier)) faults.push(...compareNodes(source, earlier, link, group))
      if (link.deliver === 'jetstream' && earlier.deliver === 'jetstream') {
        faults.push(...compareStreams(source, earlier, link))
      }
    }
  }
  return faults
}

function checkStream(source: YamlSource, link: RawLink): Fault[] {
  const path: YamlPath = [...link.path, 'stream', 'subjects']
  return [
    ...overlapsWithin(source, path, link.streamSubjects, 'NATS refuses such a stream'),
    ...streamOverRequests(source, path, link.streamSubjects),
  ]
}

/** Where requests to nodes of ours arrive. */
const NODE_SUBJECTS = ['cn.xswitch.node', 'cn.xswitch.node.>']

/** Where we answer requests, one that is observed besides would be carried out twice. */
function checkObserved(source: YamlSource, link: RawLink): Fault[] {
  return sound(link.observe).flatMap(({ subject, index }) => {
    const request = NODE_SUBJECTS.find((each) => subjectsOverlap(each, subject))
    if (request === undefined) return []
    const what = `\`${subject}\` covers \`${request}\`, where requests to our own nodes arrive: each would be taken twice`
    const right = 'name event subjects only, such as cn.xswitch.ctrl.> and cn.xswitch.event.>'
    return [source.fault([...link.path, 'observe', index], 'config.subject', what, right)]
  })
}

function steeredUnderOtherIds(source: YamlSource, link: RawLink): Fault {
  const what = '`steer` and `qualifyIds` stand together: commands name calls by the ids that Asterisk knows'
  return source.fault([...link.path, 'qualifyIds'], 'config.link', what, 'give this Asterisk a `systemname` of its own')
}

/** Kinds of links that can keep dead letters of others. */
const KEEPERS: ReadonlySet<string> = new Set(['amqp', 'nats'])

function checkDeadLetters(source: YamlSource, link: RawLink, links: readonly RawLink[]): Fault[] {
  if (link.deadLetters === undefined) return []
  const keepers = links.filter(({ type }) => type !== undefined && KEEPERS.has(type)).map(({ name }) => name)
  if (keepers.includes(link.deadLetters)) return []
  const what = `no link \`${link.deadLetters}\` can keep dead letters`
  const right = `want a link of type amqp or nats: ${oneOf(keepers) || 'there is none'}`
  return [source.fault([...link.path, 'deadLetters'], 'config.link', what, right)]
}

function checkUserEvents(source: YamlSource, link: RawLink): Fault[] {
  if (link.userEvents !== undefined && link.userEvents !== (link.app ?? DEFAULT_APP)) return []
  const what = 'a route leads here, and what it sends would only come back to us'
  const right = 'name the application that is to be told, as `userEvents: { application: NAME }`'
  return [source.fault([...link.path, 'userEvents', 'application'], 'config.link', what, right)]
}

function compareAsterisks(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  const faults: Fault[] = []
  const nodeOf = ({ node, name }: RawLink) => node ?? name
  if (nodeOf(link) === nodeOf(earlier)) {
    const what = `\`links.${earlier.name}\` is the node ${nodeOf(link)} too: their calls could not be told apart`
    faults.push(source.fault([...link.path, 'node'], 'config.link', what, 'give each link a `node` of its own'))
  }
  const appOf = ({ app }: RawLink) => app ?? DEFAULT_APP
  if (appOf(link) === appOf(earlier) && link.urls.some((url) => earlier.urls.includes(url))) {
    const what = `\`links.${earlier.name}\` is the application ${appOf(link)} of this Asterisk too: only one would be told`
    faults.push(source.fault([...link.path, 'app'], 'config.link', what, 'give each link an `app` of its own'))
  }
  return [...faults, ...compareListeners(source, earlier, link)]
}

/** Links may share a port: which of them is meant shows in path and user. */
function compareListeners(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  if (link.listen?.port === undefined || earlier.listen === undefined) return []
  const [ours, theirs] = [listenPlace(link.listen), listenPlace(earlier.listen)]
  if (ours.address !== theirs.address) return []
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other)
  const faults: Fault[] = []
  if (ours.path === theirs.path && same(link.listen.username, earlier.listen.username)) {
    const what = `\`links.${earlier.name}\` listens on ${ours.address}${ours.path} for this user too: whose Asterisk comes would not show`
    const right = 'give each link a `path` or a `username` of its own'
    faults.push(source.fault([...link.path, 'listen'], 'config.link', what, right))
  }
  if (!same(link.listen.tls, earlier.listen.tls)) {
    const what = `\`links.${earlier.name}\` listens on ${ours.address} with another \`tls\``
    faults.push(source.fault([...link.path, 'listen', 'tls'], 'config.link', what, 'use the same, or another `port`'))
  }
  return faults
}

function comparePorts(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  const address = listenAddress(link.host, link.port)
  if (link.port === 0 || address !== listenAddress(earlier.host, earlier.port)) return []
  const what = `\`links.${earlier.name}\` listens on ${address} too`
  return [source.fault([...link.path, 'port'], 'config.link', what, 'give each link a `port` of its own')]
}

/** One takes applications, the other Asterisks: neither would know what the other's clients want. */
function compareServerAndListener(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  const server = [earlier, link].find(({ type }) => type === 'ari-server')
  const listener = [earlier, link].find(({ type, listen }) => type === 'ari' && listen?.port !== undefined)
  if (server === undefined || listener?.listen === undefined) return []
  const { address } = listenPlace(listener.listen)
  if (server.port === 0 || address !== listenAddress(server.host, server.port)) return []
  const path = link === server ? [...link.path, 'port'] : [...link.path, 'listen', 'port']
  const what = `\`links.${earlier.name}\` listens on ${address} too`
  return [source.fault(path, 'config.link', what, 'give each link a `port` of its own')]
}

function compareQueues(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  if (link.queue === undefined || link.queue !== earlier.queue || !link.urls.some((url) => earlier.urls.includes(url)))
    return []
  const what = `\`links.${earlier.name}\` consumes from the queue \`${link.queue}\` too: each would get half of the messages`
  return [source.fault([...link.path, 'queue', 'name'], 'config.link', what, 'give each link a queue of its own')]
}

function compareNodeNames(source: YamlSource, asterisk: RawLink, bus: RawLink, group: string | undefined): Fault[] {
  const node = asterisk.node ?? asterisk.name
  if (node !== (bus.nodeUuid ?? group)) return []
  const what = `\`links.${bus.name}\` is the node ${node} too: requests would be answered twice`
  return [source.fault([...asterisk.path, 'node'], 'config.link', what, 'give each a name of its own')]
}

function compareNodes(source: YamlSource, earlier: RawLink, link: RawLink, group: string | undefined): Fault[] {
  const uuid = link.nodeUuid ?? group
  if (uuid !== (earlier.nodeUuid ?? group)) return []
  const what = `\`links.${earlier.name}\` is the node ${uuid} too: requests would be answered twice`
  return [source.fault([...link.path, 'node', 'uuid'], 'config.link', what, 'give each link a `node.uuid` of its own')]
}

function compareStreams(source: YamlSource, earlier: RawLink, link: RawLink): Fault[] {
  const path: YamlPath = [...link.path, 'stream', 'subjects']
  const ours = link.streamSubjects ?? STREAM_SUBJECTS
  const theirs = earlier.streamSubjects ?? STREAM_SUBJECTS
  const name = earlier.streamName ?? STREAM_NAME
  if ((link.streamName ?? STREAM_NAME) === name) {
    if (JSON.stringify(ours) === JSON.stringify(theirs)) return []
    const what = `the stream ${name} has other subjects in \`links.${earlier.name}\``
    return [source.fault(path, 'config.stream', what, 'use the same subjects, or another name')]
  }
  return sound(ours).flatMap(({ subject, index }) => {
    const other = sound(theirs).find((each) => subjectsOverlap(each.subject, subject))
    if (other === undefined) return []
    const what = `\`${subject}\` overlaps with \`${other.subject}\` of the stream ${name} in \`links.${earlier.name}\``
    const right = 'use one stream for both links, or subjects that do not overlap'
    return [source.fault([...path, index], 'config.stream', what, right)]
  })
}
