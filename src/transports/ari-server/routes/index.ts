import type { Shapes } from '../models.js'
import type { Resource } from '../route.js'
import type { World } from '../world.js'
import { applicationResource } from './applications.js'
import { asteriskResource } from './asterisk.js'
import { bridgeResource } from './bridges.js'
import { channelResource } from './channels.js'
import { deviceStateResource } from './device-states.js'
import { endpointResource } from './endpoints.js'
import { eventResource } from './events.js'
import { playbackResource, recordingResource, soundResource } from './media.js'

/** All that is served, in the order of the api-docs. */
export function makeResources(world: World, events: Shapes): Resource[] {
  return [
    asteriskResource(world),
    endpointResource(world),
    channelResource(world),
    bridgeResource(world),
    recordingResource(world),
    soundResource(),
    playbackResource(world),
    deviceStateResource(world),
    eventResource(world, events),
    applicationResource(world),
  ]
}
