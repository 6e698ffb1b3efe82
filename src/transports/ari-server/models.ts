/**
 * Objects and events of ARI: fields and their types, in the notation of the api-docs. A `?` behind a type says
 * that the field is not always there. The api-docs are written from these tables, and the objects that an event
 * is about are found by them.
 */
export type Shape = Readonly<Record<string, string>>

/** Shapes by name. */
export type Shapes = Readonly<Record<string, Shape>>

export const CHANNEL_SHAPES: Shapes = {
  Channel: {
    id: 'string',
    protocol_id: 'string',
    name: 'string',
    state: 'string',
    caller: 'CallerID',
    connected: 'CallerID',
    accountcode: 'string',
    dialplan: 'DialplanCEP',
    creationtime: 'Date',
    language: 'string',
    channelvars: 'object?',
    caller_rdnis: 'string?',
    tenantid: 'string?',
  },
  CallerID: { name: 'string', number: 'string' },
  DialplanCEP: { context: 'string', exten: 'string', priority: 'long', app_name: 'string', app_data: 'string' },
  RTPstat: { channel_uniqueid: 'string' },
}

export const BRIDGE_SHAPES: Shapes = {
  Bridge: {
    id: 'string',
    technology: 'string',
    bridge_type: 'string',
    bridge_class: 'string',
    creator: 'string',
    name: 'string',
    channels: 'List[string]',
    creationtime: 'Date',
    video_mode: 'string?',
    video_source_id: 'string?',
    bridgevars: 'object?',
  },
}

export const ENDPOINT_SHAPES: Shapes = {
  Endpoint: { technology: 'string', resource: 'string', state: 'string?', channel_ids: 'List[string]' },
  TextMessage: { from: 'string', to: 'string', body: 'string', variables: 'object?' },
}

export const DEVICE_STATE_SHAPES: Shapes = { DeviceState: { name: 'string', state: 'string' } }

export const PLAYBACK_SHAPES: Shapes = {
  Playback: {
    id: 'string',
    media_uri: 'string',
    next_media_uri: 'string?',
    target_uri: 'string',
    language: 'string?',
    state: 'string',
  },
}

export const RECORDING_SHAPES: Shapes = {
  LiveRecording: {
    name: 'string',
    format: 'string',
    target_uri: 'string',
    state: 'string',
    duration: 'int?',
    talking_duration: 'int?',
    silence_duration: 'int?',
    cause: 'string?',
  },
  StoredRecording: { name: 'string', format: 'string' },
}

export const SOUND_SHAPES: Shapes = {
  Sound: { id: 'string', text: 'string?', formats: 'List[FormatLangPair]' },
  FormatLangPair: { language: 'string', format: 'string' },
}

export const APPLICATION_SHAPES: Shapes = {
  Application: {
    name: 'string',
    channel_ids: 'List[string]',
    bridge_ids: 'List[string]',
    endpoint_ids: 'List[string]',
    device_names: 'List[string]',
    events_allowed: 'List[object]',
    events_disallowed: 'List[object]',
  },
}

export const ASTERISK_SHAPES: Shapes = {
  AsteriskInfo: { build: 'BuildInfo?', system: 'SystemInfo?', config: 'ConfigInfo?', status: 'StatusInfo?' },
  BuildInfo: {
    os: 'string',
    kernel: 'string',
    machine: 'string',
    options: 'string',
    date: 'string',
    user: 'string',
  },
  SystemInfo: { version: 'string', entity_id: 'string' },
  ConfigInfo: { name: 'string', default_language: 'string', setid: 'SetId' },
  SetId: { user: 'string', group: 'string' },
  StatusInfo: { startup_time: 'Date', last_reload_time: 'Date' },
  AsteriskPing: { ping: 'string', timestamp: 'string', asterisk_id: 'string' },
  Variable: { value: 'string' },
  Variables: { variables: 'object' },
}

/** What events consist of beside the objects above. */
export const EVENT_PARTS: Shapes = {
  ContactInfo: { uri: 'string', contact_status: 'string', aor: 'string', roundtrip_usec: 'string?' },
  Peer: { peer_status: 'string', cause: 'string?', address: 'string?', port: 'string?', time: 'string?' },
  ReferTo: {
    requested_destination: 'RequiredDestination',
    destination_channel: 'Channel?',
    connected_channel: 'Channel?',
    bridge: 'Bridge?',
  },
  ReferredBy: { source_channel: 'Channel', connected_channel: 'Channel?', bridge: 'Bridge?' },
  RequiredDestination: {
    protocol_id: 'string?',
    destination: 'string?',
    additional_protocol_params: 'List[AdditionalParam]?',
  },
  AdditionalParam: { parameter_name: 'string', parameter_value: 'string' },
}

/** What every event carries. */
export const EVENT_HEAD: Shape = { type: 'string', timestamp: 'Date', application: 'string', asterisk_id: 'string?' }

/** Every type of event that Asterisk 22 names, with its own fields. */
export const EVENT_SHAPES: Shapes = {
  ApplicationMoveFailed: { channel: 'Channel', destination: 'string', args: 'List[string]' },
  ApplicationRegistered: {},
  ApplicationReplaced: {},
  ApplicationUnregistered: {},
  BridgeAttendedTransfer: {
    transferer_first_leg: 'Channel',
    transferer_second_leg: 'Channel',
    replace_channel: 'Channel?',
    transferee: 'Channel?',
    transfer_target: 'Channel?',
    result: 'string',
    is_external: 'boolean',
    transferer_first_leg_bridge: 'Bridge?',
    transferer_second_leg_bridge: 'Bridge?',
    destination_type: 'string',
    destination_bridge: 'string?',
    destination_application: 'string?',
    destination_link_first_leg: 'Channel?',
    destination_link_second_leg: 'Channel?',
    destination_threeway_channel: 'Channel?',
    destination_threeway_bridge: 'Bridge?',
  },
  BridgeBlindTransfer: {
    channel: 'Channel',
    replace_channel: 'Channel?',
    transferee: 'Channel?',
    exten: 'string',
    context: 'string',
    result: 'string',
    is_external: 'boolean',
    bridge: 'Bridge?',
  },
  BridgeCreated: { bridge: 'Bridge' },
  BridgeDestroyed: { bridge: 'Bridge' },
  BridgeMerged: { bridge: 'Bridge', bridge_from: 'Bridge' },
  BridgeVideoSourceChanged: { bridge: 'Bridge', old_video_source_id: 'string?' },
  CallBroadcast: { channel: 'Channel', caller: 'string?', called: 'string?' },
  CallClaimed: { channel: 'Channel', winner_app: 'string' },
  ChannelCallerId: { channel: 'Channel', caller_presentation: 'int', caller_presentation_txt: 'string' },
  ChannelConnectedLine: { channel: 'Channel' },
  ChannelCreated: { channel: 'Channel' },
  ChannelDestroyed: { channel: 'Channel', cause: 'int', cause_txt: 'string', tech_cause: 'int?' },
  ChannelDialplan: { channel: 'Channel', dialplan_app: 'string', dialplan_app_data: 'string' },
  ChannelDtmfReceived: { channel: 'Channel', digit: 'string', duration_ms: 'int' },
  ChannelEnteredBridge: { bridge: 'Bridge', channel: 'Channel?' },
  ChannelHangupRequest: { channel: 'Channel', cause: 'int?', tech_cause: 'int?', soft: 'boolean?' },
  ChannelHold: { channel: 'Channel', musicclass: 'string?' },
  ChannelLeftBridge: { bridge: 'Bridge', channel: 'Channel' },
  ChannelStateChange: { channel: 'Channel' },
  ChannelTalkingFinished: { channel: 'Channel', duration: 'int' },
  ChannelTalkingStarted: { channel: 'Channel' },
  ChannelToneDetected: { channel: 'Channel' },
  ChannelTransfer: { state: 'string?', refer_to: 'ReferTo', referred_by: 'ReferredBy' },
  ChannelUnhold: { channel: 'Channel' },
  ChannelUserevent: {
    eventname: 'string',
    userevent: 'object',
    channel: 'Channel?',
    bridge: 'Bridge?',
    endpoint: 'Endpoint?',
  },
  ChannelVarset: { variable: 'string', value: 'string', channel: 'Channel?' },
  ContactStatusChange: { endpoint: 'Endpoint', contact_info: 'ContactInfo' },
  DeviceStateChanged: { device_state: 'DeviceState' },
  Dial: {
    caller: 'Channel?',
    peer: 'Channel',
    forward: 'string?',
    forwarded: 'Channel?',
    dialstring: 'string?',
    dialstatus: 'string',
  },
  EndpointStateChange: { endpoint: 'Endpoint' },
  PeerStatusChange: { endpoint: 'Endpoint', peer: 'Peer' },
  PlaybackContinuing: { playback: 'Playback' },
  PlaybackFinished: { playback: 'Playback' },
  PlaybackStarted: { playback: 'Playback' },
  RESTResponse: {
    transaction_id: 'string',
    request_id: 'string',
    status_code: 'int',
    reason_phrase: 'string',
    uri: 'string',
    content_type: 'string?',
    message_body: 'string?',
  },
  RecordingFailed: { recording: 'LiveRecording' },
  RecordingFinished: { recording: 'LiveRecording' },
  RecordingStarted: { recording: 'LiveRecording' },
  StasisEnd: { channel: 'Channel' },
  StasisStart: { args: 'List[string]', channel: 'Channel', replace_channel: 'Channel?' },
  TextMessageReceived: { message: 'TextMessage', endpoint: 'Endpoint?' },
}

/** Fields that an event type unknown to Asterisk may have, taken for what they are in the known ones. */
export const COMMON_FIELDS: Shape = {
  channel: 'Channel?',
  bridge: 'Bridge?',
  endpoint: 'Endpoint?',
  device_state: 'DeviceState?',
  playback: 'Playback?',
  recording: 'LiveRecording?',
}
