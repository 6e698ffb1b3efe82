// Generated from proto/patchbay/v1 by `npm run generate`; a test holds the two equal.

import type { FactKind } from './generated.js'

/** A fact while it is put together: every field may hold anything, also undefined. */
export type Draft = Record<string, Record<string, unknown> | undefined>

/** Reads and sets one field; a group that is not there yet is made. */
export interface FieldAccess {
  get(draft: Draft): unknown
  set(draft: Draft, value: unknown): void
}

/**
 * Makes facts and reaches into them. What is made has every field, those that are absent undefined: objects
 * of one layout are what engines make fast.
 */
export interface KindAccess {
  blank(): Draft
  /** The fields of this kind alone, as another object has them. */
  body(from: Draft): Draft
  /** A fact with these fields, and without meta, ext and full. */
  fact(from: Draft): Draft
  readonly fields: Readonly<Record<string, FieldAccess>>
}

/** By kind and dotted path. */
export const FACT_ACCESS: Readonly<Record<FactKind, KindAccess>> = {
  channel: {
    blank: () => ({
      kind: 'channel' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: undefined,
      node: undefined,
      call: undefined,
      correlate: undefined,
      session: undefined,
      direction: undefined,
      caller: undefined,
      callee: undefined,
      dialled: undefined,
      peers: undefined,
      controller: undefined,
      times: undefined,
      cause: undefined,
      vars: undefined,
      state: undefined,
      flags: undefined,
      change: undefined,
      durations: undefined,
      terminal: undefined,
      own: undefined,
      far: undefined,
      bridge: undefined,
      serial: undefined,
    }),
    body: (d) => ({
      id: d.id,
      node: d.node,
      call: d.call,
      correlate: d.correlate,
      session: d.session,
      direction: d.direction,
      caller: d.caller,
      callee: d.callee,
      dialled: d.dialled,
      peers: d.peers,
      controller: d.controller,
      times: d.times,
      cause: d.cause,
      vars: d.vars,
      state: d.state,
      flags: d.flags,
      change: d.change,
      durations: d.durations,
      terminal: d.terminal,
      own: d.own,
      far: d.far,
      bridge: d.bridge,
      serial: d.serial,
    }),
    fact: (d) => ({
      kind: 'channel' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: d.id,
      node: d.node,
      call: d.call,
      correlate: d.correlate,
      session: d.session,
      direction: d.direction,
      caller: d.caller,
      callee: d.callee,
      dialled: d.dialled,
      peers: d.peers,
      controller: d.controller,
      times: d.times,
      cause: d.cause,
      vars: d.vars,
      state: d.state,
      flags: d.flags,
      change: d.change,
      durations: d.durations,
      terminal: d.terminal,
      own: d.own,
      far: d.far,
      bridge: d.bridge,
      serial: d.serial,
    }),
    fields: {
      id: {
        get: (d) => d.id,
        set(d, v) {
          d.id = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      call: {
        get: (d) => d.call,
        set(d, v) {
          d.call = v as never
        },
      },
      correlate: {
        get: (d) => d.correlate,
        set(d, v) {
          d.correlate = v as never
        },
      },
      session: {
        get: (d) => d.session,
        set(d, v) {
          d.session = v as never
        },
      },
      direction: {
        get: (d) => d.direction,
        set(d, v) {
          d.direction = v as never
        },
      },
      'caller.name': {
        get: (d) => d.caller?.name,
        set(d, v) {
          if (d.caller === undefined) d.caller = { name: v, number: undefined }
          else d.caller.name = v
        },
      },
      'caller.number': {
        get: (d) => d.caller?.number,
        set(d, v) {
          if (d.caller === undefined) d.caller = { name: undefined, number: v }
          else d.caller.number = v
        },
      },
      'callee.name': {
        get: (d) => d.callee?.name,
        set(d, v) {
          if (d.callee === undefined) d.callee = { name: v, number: undefined }
          else d.callee.name = v
        },
      },
      'callee.number': {
        get: (d) => d.callee?.number,
        set(d, v) {
          if (d.callee === undefined) d.callee = { name: undefined, number: v }
          else d.callee.number = v
        },
      },
      dialled: {
        get: (d) => d.dialled,
        set(d, v) {
          d.dialled = v as never
        },
      },
      peers: {
        get: (d) => d.peers,
        set(d, v) {
          d.peers = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
      'times.created': {
        get: (d) => d.times?.created,
        set(d, v) {
          if (d.times === undefined) d.times = { created: v, ringing: undefined, answered: undefined, ended: undefined }
          else d.times.created = v
        },
      },
      'times.ringing': {
        get: (d) => d.times?.ringing,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: v, answered: undefined, ended: undefined }
          else d.times.ringing = v
        },
      },
      'times.answered': {
        get: (d) => d.times?.answered,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: undefined, answered: v, ended: undefined }
          else d.times.answered = v
        },
      },
      'times.ended': {
        get: (d) => d.times?.ended,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: undefined, answered: undefined, ended: v }
          else d.times.ended = v
        },
      },
      'cause.code': {
        get: (d) => d.cause?.code,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: v, name: undefined, protocol: undefined }
          else d.cause.code = v
        },
      },
      'cause.name': {
        get: (d) => d.cause?.name,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: undefined, name: v, protocol: undefined }
          else d.cause.name = v
        },
      },
      'cause.protocol': {
        get: (d) => d.cause?.protocol,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: undefined, name: undefined, protocol: v }
          else d.cause.protocol = v
        },
      },
      vars: {
        get: (d) => d.vars,
        set(d, v) {
          d.vars = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      'flags.held': {
        get: (d) => d.flags?.held,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: v,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.held = v
        },
      },
      'flags.bridged': {
        get: (d) => d.flags?.bridged,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: v,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.bridged = v
        },
      },
      'flags.ready': {
        get: (d) => d.flags?.ready,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: v,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.ready = v
        },
      },
      'flags.loopback': {
        get: (d) => d.flags?.loopback,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: v,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.loopback = v
        },
      },
      'flags.controllable': {
        get: (d) => d.flags?.controllable,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: v,
              offered: undefined,
            }
          else d.flags.controllable = v
        },
      },
      'flags.offered': {
        get: (d) => d.flags?.offered,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: v,
            }
          else d.flags.offered = v
        },
      },
      change: {
        get: (d) => d.change,
        set(d, v) {
          d.change = v as never
        },
      },
      'durations.total': {
        get: (d) => d.durations?.total,
        set(d, v) {
          if (d.durations === undefined) d.durations = { total: v, billed: undefined }
          else d.durations.total = v
        },
      },
      'durations.billed': {
        get: (d) => d.durations?.billed,
        set(d, v) {
          if (d.durations === undefined) d.durations = { total: undefined, billed: v }
          else d.durations.billed = v
        },
      },
      terminal: {
        get: (d) => d.terminal,
        set(d, v) {
          d.terminal = v as never
        },
      },
      'own.name': {
        get: (d) => d.own?.name,
        set(d, v) {
          if (d.own === undefined) d.own = { name: v, number: undefined }
          else d.own.name = v
        },
      },
      'own.number': {
        get: (d) => d.own?.number,
        set(d, v) {
          if (d.own === undefined) d.own = { name: undefined, number: v }
          else d.own.number = v
        },
      },
      'far.name': {
        get: (d) => d.far?.name,
        set(d, v) {
          if (d.far === undefined) d.far = { name: v, number: undefined }
          else d.far.name = v
        },
      },
      'far.number': {
        get: (d) => d.far?.number,
        set(d, v) {
          if (d.far === undefined) d.far = { name: undefined, number: v }
          else d.far.number = v
        },
      },
      'bridge.id': {
        get: (d) => d.bridge?.id,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: v, type: undefined, members: undefined }
          else d.bridge.id = v
        },
      },
      'bridge.type': {
        get: (d) => d.bridge?.type,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: undefined, type: v, members: undefined }
          else d.bridge.type = v
        },
      },
      'bridge.members': {
        get: (d) => d.bridge?.members,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: undefined, type: undefined, members: v }
          else d.bridge.members = v
        },
      },
      serial: {
        get: (d) => d.serial,
        set(d, v) {
          d.serial = v as never
        },
      },
    },
  },
  cdr: {
    blank: () => ({
      kind: 'cdr' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: undefined,
      node: undefined,
      call: undefined,
      correlate: undefined,
      session: undefined,
      direction: undefined,
      caller: undefined,
      callee: undefined,
      dialled: undefined,
      peers: undefined,
      controller: undefined,
      times: undefined,
      cause: undefined,
      vars: undefined,
      state: undefined,
      flags: undefined,
      change: undefined,
      durations: undefined,
      terminal: undefined,
      own: undefined,
      far: undefined,
      bridge: undefined,
      serial: undefined,
    }),
    body: (d) => ({
      id: d.id,
      node: d.node,
      call: d.call,
      correlate: d.correlate,
      session: d.session,
      direction: d.direction,
      caller: d.caller,
      callee: d.callee,
      dialled: d.dialled,
      peers: d.peers,
      controller: d.controller,
      times: d.times,
      cause: d.cause,
      vars: d.vars,
      state: d.state,
      flags: d.flags,
      change: d.change,
      durations: d.durations,
      terminal: d.terminal,
      own: d.own,
      far: d.far,
      bridge: d.bridge,
      serial: d.serial,
    }),
    fact: (d) => ({
      kind: 'cdr' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: d.id,
      node: d.node,
      call: d.call,
      correlate: d.correlate,
      session: d.session,
      direction: d.direction,
      caller: d.caller,
      callee: d.callee,
      dialled: d.dialled,
      peers: d.peers,
      controller: d.controller,
      times: d.times,
      cause: d.cause,
      vars: d.vars,
      state: d.state,
      flags: d.flags,
      change: d.change,
      durations: d.durations,
      terminal: d.terminal,
      own: d.own,
      far: d.far,
      bridge: d.bridge,
      serial: d.serial,
    }),
    fields: {
      id: {
        get: (d) => d.id,
        set(d, v) {
          d.id = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      call: {
        get: (d) => d.call,
        set(d, v) {
          d.call = v as never
        },
      },
      correlate: {
        get: (d) => d.correlate,
        set(d, v) {
          d.correlate = v as never
        },
      },
      session: {
        get: (d) => d.session,
        set(d, v) {
          d.session = v as never
        },
      },
      direction: {
        get: (d) => d.direction,
        set(d, v) {
          d.direction = v as never
        },
      },
      'caller.name': {
        get: (d) => d.caller?.name,
        set(d, v) {
          if (d.caller === undefined) d.caller = { name: v, number: undefined }
          else d.caller.name = v
        },
      },
      'caller.number': {
        get: (d) => d.caller?.number,
        set(d, v) {
          if (d.caller === undefined) d.caller = { name: undefined, number: v }
          else d.caller.number = v
        },
      },
      'callee.name': {
        get: (d) => d.callee?.name,
        set(d, v) {
          if (d.callee === undefined) d.callee = { name: v, number: undefined }
          else d.callee.name = v
        },
      },
      'callee.number': {
        get: (d) => d.callee?.number,
        set(d, v) {
          if (d.callee === undefined) d.callee = { name: undefined, number: v }
          else d.callee.number = v
        },
      },
      dialled: {
        get: (d) => d.dialled,
        set(d, v) {
          d.dialled = v as never
        },
      },
      peers: {
        get: (d) => d.peers,
        set(d, v) {
          d.peers = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
      'times.created': {
        get: (d) => d.times?.created,
        set(d, v) {
          if (d.times === undefined) d.times = { created: v, ringing: undefined, answered: undefined, ended: undefined }
          else d.times.created = v
        },
      },
      'times.ringing': {
        get: (d) => d.times?.ringing,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: v, answered: undefined, ended: undefined }
          else d.times.ringing = v
        },
      },
      'times.answered': {
        get: (d) => d.times?.answered,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: undefined, answered: v, ended: undefined }
          else d.times.answered = v
        },
      },
      'times.ended': {
        get: (d) => d.times?.ended,
        set(d, v) {
          if (d.times === undefined) d.times = { created: undefined, ringing: undefined, answered: undefined, ended: v }
          else d.times.ended = v
        },
      },
      'cause.code': {
        get: (d) => d.cause?.code,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: v, name: undefined, protocol: undefined }
          else d.cause.code = v
        },
      },
      'cause.name': {
        get: (d) => d.cause?.name,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: undefined, name: v, protocol: undefined }
          else d.cause.name = v
        },
      },
      'cause.protocol': {
        get: (d) => d.cause?.protocol,
        set(d, v) {
          if (d.cause === undefined) d.cause = { code: undefined, name: undefined, protocol: v }
          else d.cause.protocol = v
        },
      },
      vars: {
        get: (d) => d.vars,
        set(d, v) {
          d.vars = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      'flags.held': {
        get: (d) => d.flags?.held,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: v,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.held = v
        },
      },
      'flags.bridged': {
        get: (d) => d.flags?.bridged,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: v,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.bridged = v
        },
      },
      'flags.ready': {
        get: (d) => d.flags?.ready,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: v,
              loopback: undefined,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.ready = v
        },
      },
      'flags.loopback': {
        get: (d) => d.flags?.loopback,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: v,
              controllable: undefined,
              offered: undefined,
            }
          else d.flags.loopback = v
        },
      },
      'flags.controllable': {
        get: (d) => d.flags?.controllable,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: v,
              offered: undefined,
            }
          else d.flags.controllable = v
        },
      },
      'flags.offered': {
        get: (d) => d.flags?.offered,
        set(d, v) {
          if (d.flags === undefined)
            d.flags = {
              held: undefined,
              bridged: undefined,
              ready: undefined,
              loopback: undefined,
              controllable: undefined,
              offered: v,
            }
          else d.flags.offered = v
        },
      },
      change: {
        get: (d) => d.change,
        set(d, v) {
          d.change = v as never
        },
      },
      'durations.total': {
        get: (d) => d.durations?.total,
        set(d, v) {
          if (d.durations === undefined) d.durations = { total: v, billed: undefined }
          else d.durations.total = v
        },
      },
      'durations.billed': {
        get: (d) => d.durations?.billed,
        set(d, v) {
          if (d.durations === undefined) d.durations = { total: undefined, billed: v }
          else d.durations.billed = v
        },
      },
      terminal: {
        get: (d) => d.terminal,
        set(d, v) {
          d.terminal = v as never
        },
      },
      'own.name': {
        get: (d) => d.own?.name,
        set(d, v) {
          if (d.own === undefined) d.own = { name: v, number: undefined }
          else d.own.name = v
        },
      },
      'own.number': {
        get: (d) => d.own?.number,
        set(d, v) {
          if (d.own === undefined) d.own = { name: undefined, number: v }
          else d.own.number = v
        },
      },
      'far.name': {
        get: (d) => d.far?.name,
        set(d, v) {
          if (d.far === undefined) d.far = { name: v, number: undefined }
          else d.far.name = v
        },
      },
      'far.number': {
        get: (d) => d.far?.number,
        set(d, v) {
          if (d.far === undefined) d.far = { name: undefined, number: v }
          else d.far.number = v
        },
      },
      'bridge.id': {
        get: (d) => d.bridge?.id,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: v, type: undefined, members: undefined }
          else d.bridge.id = v
        },
      },
      'bridge.type': {
        get: (d) => d.bridge?.type,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: undefined, type: v, members: undefined }
          else d.bridge.type = v
        },
      },
      'bridge.members': {
        get: (d) => d.bridge?.members,
        set(d, v) {
          if (d.bridge === undefined) d.bridge = { id: undefined, type: undefined, members: v }
          else d.bridge.members = v
        },
      },
      serial: {
        get: (d) => d.serial,
        set(d, v) {
          d.serial = v as never
        },
      },
    },
  },
  bridge: {
    blank: () => ({
      kind: 'bridge' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: undefined,
      node: undefined,
      type: undefined,
      members: undefined,
      change: undefined,
    }),
    body: (d) => ({ id: d.id, node: d.node, type: d.type, members: d.members, change: d.change }),
    fact: (d) => ({
      kind: 'bridge' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: d.id,
      node: d.node,
      type: d.type,
      members: d.members,
      change: d.change,
    }),
    fields: {
      id: {
        get: (d) => d.id,
        set(d, v) {
          d.id = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      type: {
        get: (d) => d.type,
        set(d, v) {
          d.type = v as never
        },
      },
      members: {
        get: (d) => d.members,
        set(d, v) {
          d.members = v as never
        },
      },
      change: {
        get: (d) => d.change,
        set(d, v) {
          d.change = v as never
        },
      },
    },
  },
  transfer: {
    blank: () => ({
      kind: 'transfer' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      node: undefined,
      type: undefined,
      by: undefined,
      who: undefined,
      target: undefined,
      result: undefined,
    }),
    body: (d) => ({ node: d.node, type: d.type, by: d.by, who: d.who, target: d.target, result: d.result }),
    fact: (d) => ({
      kind: 'transfer' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      node: d.node,
      type: d.type,
      by: d.by,
      who: d.who,
      target: d.target,
      result: d.result,
    }),
    fields: {
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      type: {
        get: (d) => d.type,
        set(d, v) {
          d.type = v as never
        },
      },
      by: {
        get: (d) => d.by,
        set(d, v) {
          d.by = v as never
        },
      },
      who: {
        get: (d) => d.who,
        set(d, v) {
          d.who = v as never
        },
      },
      target: {
        get: (d) => d.target,
        set(d, v) {
          d.target = v as never
        },
      },
      result: {
        get: (d) => d.result,
        set(d, v) {
          d.result = v as never
        },
      },
    },
  },
  terminal: {
    blank: () => ({
      kind: 'terminal' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      serial: undefined,
      number: undefined,
      state: undefined,
      address: undefined,
      roundTripUs: undefined,
      node: undefined,
      change: undefined,
    }),
    body: (d) => ({
      serial: d.serial,
      number: d.number,
      state: d.state,
      address: d.address,
      roundTripUs: d.roundTripUs,
      node: d.node,
      change: d.change,
    }),
    fact: (d) => ({
      kind: 'terminal' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      serial: d.serial,
      number: d.number,
      state: d.state,
      address: d.address,
      roundTripUs: d.roundTripUs,
      node: d.node,
      change: d.change,
    }),
    fields: {
      serial: {
        get: (d) => d.serial,
        set(d, v) {
          d.serial = v as never
        },
      },
      number: {
        get: (d) => d.number,
        set(d, v) {
          d.number = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      address: {
        get: (d) => d.address,
        set(d, v) {
          d.address = v as never
        },
      },
      roundTripUs: {
        get: (d) => d.roundTripUs,
        set(d, v) {
          d.roundTripUs = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      change: {
        get: (d) => d.change,
        set(d, v) {
          d.change = v as never
        },
      },
    },
  },
  device: {
    blank: () => ({
      kind: 'device' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: undefined,
      state: undefined,
      aggregate: undefined,
      node: undefined,
    }),
    body: (d) => ({ name: d.name, state: d.state, aggregate: d.aggregate, node: d.node }),
    fact: (d) => ({
      kind: 'device' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: d.name,
      state: d.state,
      aggregate: d.aggregate,
      node: d.node,
    }),
    fields: {
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      aggregate: {
        get: (d) => d.aggregate,
        set(d, v) {
          d.aggregate = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
    },
  },
  mailbox: {
    blank: () => ({
      kind: 'mailbox' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: undefined,
      newMessages: undefined,
      oldMessages: undefined,
      node: undefined,
    }),
    body: (d) => ({ name: d.name, newMessages: d.newMessages, oldMessages: d.oldMessages, node: d.node }),
    fact: (d) => ({
      kind: 'mailbox' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: d.name,
      newMessages: d.newMessages,
      oldMessages: d.oldMessages,
      node: d.node,
    }),
    fields: {
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      newMessages: {
        get: (d) => d.newMessages,
        set(d, v) {
          d.newMessages = v as never
        },
      },
      oldMessages: {
        get: (d) => d.oldMessages,
        set(d, v) {
          d.oldMessages = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
    },
  },
  dtmf: {
    blank: () => ({
      kind: 'dtmf' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: undefined,
      node: undefined,
      digit: undefined,
      durationMs: undefined,
      controller: undefined,
    }),
    body: (d) => ({
      channel: d.channel,
      node: d.node,
      digit: d.digit,
      durationMs: d.durationMs,
      controller: d.controller,
    }),
    fact: (d) => ({
      kind: 'dtmf' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: d.channel,
      node: d.node,
      digit: d.digit,
      durationMs: d.durationMs,
      controller: d.controller,
    }),
    fields: {
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      digit: {
        get: (d) => d.digit,
        set(d, v) {
          d.digit = v as never
        },
      },
      durationMs: {
        get: (d) => d.durationMs,
        set(d, v) {
          d.durationMs = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
    },
  },
  playback: {
    blank: () => ({
      kind: 'playback' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: undefined,
      node: undefined,
      id: undefined,
      media: undefined,
      state: undefined,
      controller: undefined,
    }),
    body: (d) => ({
      channel: d.channel,
      node: d.node,
      id: d.id,
      media: d.media,
      state: d.state,
      controller: d.controller,
    }),
    fact: (d) => ({
      kind: 'playback' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: d.channel,
      node: d.node,
      id: d.id,
      media: d.media,
      state: d.state,
      controller: d.controller,
    }),
    fields: {
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      id: {
        get: (d) => d.id,
        set(d, v) {
          d.id = v as never
        },
      },
      media: {
        get: (d) => d.media,
        set(d, v) {
          d.media = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
    },
  },
  recording: {
    blank: () => ({
      kind: 'recording' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: undefined,
      node: undefined,
      name: undefined,
      state: undefined,
      durationMs: undefined,
      sizeBytes: undefined,
      cause: undefined,
      controller: undefined,
    }),
    body: (d) => ({
      channel: d.channel,
      node: d.node,
      name: d.name,
      state: d.state,
      durationMs: d.durationMs,
      sizeBytes: d.sizeBytes,
      cause: d.cause,
      controller: d.controller,
    }),
    fact: (d) => ({
      kind: 'recording' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: d.channel,
      node: d.node,
      name: d.name,
      state: d.state,
      durationMs: d.durationMs,
      sizeBytes: d.sizeBytes,
      cause: d.cause,
      controller: d.controller,
    }),
    fields: {
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      state: {
        get: (d) => d.state,
        set(d, v) {
          d.state = v as never
        },
      },
      durationMs: {
        get: (d) => d.durationMs,
        set(d, v) {
          d.durationMs = v as never
        },
      },
      sizeBytes: {
        get: (d) => d.sizeBytes,
        set(d, v) {
          d.sizeBytes = v as never
        },
      },
      cause: {
        get: (d) => d.cause,
        set(d, v) {
          d.cause = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
    },
  },
  speech: {
    blank: () => ({
      kind: 'speech' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: undefined,
      node: undefined,
      type: undefined,
      text: undefined,
      confidence: undefined,
      last: undefined,
      engine: undefined,
      controller: undefined,
    }),
    body: (d) => ({
      channel: d.channel,
      node: d.node,
      type: d.type,
      text: d.text,
      confidence: d.confidence,
      last: d.last,
      engine: d.engine,
      controller: d.controller,
    }),
    fact: (d) => ({
      kind: 'speech' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      channel: d.channel,
      node: d.node,
      type: d.type,
      text: d.text,
      confidence: d.confidence,
      last: d.last,
      engine: d.engine,
      controller: d.controller,
    }),
    fields: {
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      type: {
        get: (d) => d.type,
        set(d, v) {
          d.type = v as never
        },
      },
      text: {
        get: (d) => d.text,
        set(d, v) {
          d.text = v as never
        },
      },
      confidence: {
        get: (d) => d.confidence,
        set(d, v) {
          d.confidence = v as never
        },
      },
      last: {
        get: (d) => d.last,
        set(d, v) {
          d.last = v as never
        },
      },
      engine: {
        get: (d) => d.engine,
        set(d, v) {
          d.engine = v as never
        },
      },
      controller: {
        get: (d) => d.controller,
        set(d, v) {
          d.controller = v as never
        },
      },
    },
  },
  conference: {
    blank: () => ({
      kind: 'conference' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: undefined,
      channel: undefined,
      node: undefined,
      action: undefined,
      muted: undefined,
    }),
    body: (d) => ({ name: d.name, channel: d.channel, node: d.node, action: d.action, muted: d.muted }),
    fact: (d) => ({
      kind: 'conference' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: d.name,
      channel: d.channel,
      node: d.node,
      action: d.action,
      muted: d.muted,
    }),
    fields: {
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
      action: {
        get: (d) => d.action,
        set(d, v) {
          d.action = v as never
        },
      },
      muted: {
        get: (d) => d.muted,
        set(d, v) {
          d.muted = v as never
        },
      },
    },
  },
  node: {
    blank: () => ({
      kind: 'node' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: undefined,
      name: undefined,
      change: undefined,
      ip: undefined,
      version: undefined,
      address: undefined,
      figures: undefined,
    }),
    body: (d) => ({
      id: d.id,
      name: d.name,
      change: d.change,
      ip: d.ip,
      version: d.version,
      address: d.address,
      figures: d.figures,
    }),
    fact: (d) => ({
      kind: 'node' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      id: d.id,
      name: d.name,
      change: d.change,
      ip: d.ip,
      version: d.version,
      address: d.address,
      figures: d.figures,
    }),
    fields: {
      id: {
        get: (d) => d.id,
        set(d, v) {
          d.id = v as never
        },
      },
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      change: {
        get: (d) => d.change,
        set(d, v) {
          d.change = v as never
        },
      },
      ip: {
        get: (d) => d.ip,
        set(d, v) {
          d.ip = v as never
        },
      },
      version: {
        get: (d) => d.version,
        set(d, v) {
          d.version = v as never
        },
      },
      address: {
        get: (d) => d.address,
        set(d, v) {
          d.address = v as never
        },
      },
      'figures.uptimeSeconds': {
        get: (d) => d.figures?.uptimeSeconds,
        set(d, v) {
          if (d.figures === undefined)
            d.figures = {
              uptimeSeconds: v,
              sessions: undefined,
              sessionsMax: undefined,
              sessionsSinceStartup: undefined,
            }
          else d.figures.uptimeSeconds = v
        },
      },
      'figures.sessions': {
        get: (d) => d.figures?.sessions,
        set(d, v) {
          if (d.figures === undefined)
            d.figures = {
              uptimeSeconds: undefined,
              sessions: v,
              sessionsMax: undefined,
              sessionsSinceStartup: undefined,
            }
          else d.figures.sessions = v
        },
      },
      'figures.sessionsMax': {
        get: (d) => d.figures?.sessionsMax,
        set(d, v) {
          if (d.figures === undefined)
            d.figures = {
              uptimeSeconds: undefined,
              sessions: undefined,
              sessionsMax: v,
              sessionsSinceStartup: undefined,
            }
          else d.figures.sessionsMax = v
        },
      },
      'figures.sessionsSinceStartup': {
        get: (d) => d.figures?.sessionsSinceStartup,
        set(d, v) {
          if (d.figures === undefined)
            d.figures = {
              uptimeSeconds: undefined,
              sessions: undefined,
              sessionsMax: undefined,
              sessionsSinceStartup: v,
            }
          else d.figures.sessionsSinceStartup = v
        },
      },
    },
  },
  lifecycle: {
    blank: () => ({
      kind: 'lifecycle' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      event: undefined,
      number: undefined,
      node: undefined,
    }),
    body: (d) => ({ event: d.event, number: d.number, node: d.node }),
    fact: (d) => ({
      kind: 'lifecycle' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      event: d.event,
      number: d.number,
      node: d.node,
    }),
    fields: {
      event: {
        get: (d) => d.event,
        set(d, v) {
          d.event = v as never
        },
      },
      number: {
        get: (d) => d.number,
        set(d, v) {
          d.number = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
    },
  },
  sync: {
    blank: () => ({ kind: 'sync' as never, meta: undefined, ext: undefined, full: undefined, of: undefined }),
    body: (d) => ({ of: d.of }),
    fact: (d) => ({ kind: 'sync' as never, meta: undefined, ext: undefined, full: undefined, of: d.of }),
    fields: {
      of: {
        get: (d) => d.of,
        set(d, v) {
          d.of = v as never
        },
      },
    },
  },
  snapshot: {
    blank: () => ({
      kind: 'snapshot' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      of: undefined,
      ids: undefined,
    }),
    body: (d) => ({ of: d.of, ids: d.ids }),
    fact: (d) => ({
      kind: 'snapshot' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      of: d.of,
      ids: d.ids,
    }),
    fields: {
      of: {
        get: (d) => d.of,
        set(d, v) {
          d.of = v as never
        },
      },
      ids: {
        get: (d) => d.ids,
        set(d, v) {
          d.ids = v as never
        },
      },
    },
  },
  gap: {
    blank: () => ({
      kind: 'gap' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      from: undefined,
      until: undefined,
      reason: undefined,
      node: undefined,
    }),
    body: (d) => ({ from: d.from, until: d.until, reason: d.reason, node: d.node }),
    fact: (d) => ({
      kind: 'gap' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      from: d.from,
      until: d.until,
      reason: d.reason,
      node: d.node,
    }),
    fields: {
      from: {
        get: (d) => d.from,
        set(d, v) {
          d.from = v as never
        },
      },
      until: {
        get: (d) => d.until,
        set(d, v) {
          d.until = v as never
        },
      },
      reason: {
        get: (d) => d.reason,
        set(d, v) {
          d.reason = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
    },
  },
  custom: {
    blank: () => ({
      kind: 'custom' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: undefined,
      body: undefined,
      channel: undefined,
      node: undefined,
    }),
    body: (d) => ({ name: d.name, body: d.body, channel: d.channel, node: d.node }),
    fact: (d) => ({
      kind: 'custom' as never,
      meta: undefined,
      ext: undefined,
      full: undefined,
      name: d.name,
      body: d.body,
      channel: d.channel,
      node: d.node,
    }),
    fields: {
      name: {
        get: (d) => d.name,
        set(d, v) {
          d.name = v as never
        },
      },
      body: {
        get: (d) => d.body,
        set(d, v) {
          d.body = v as never
        },
      },
      channel: {
        get: (d) => d.channel,
        set(d, v) {
          d.channel = v as never
        },
      },
      node: {
        get: (d) => d.node,
        set(d, v) {
          d.node = v as never
        },
      },
    },
  },
}
