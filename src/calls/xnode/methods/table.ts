import type { Method } from '../method.js'
import { bridge, channelBridge, channelBridge2, unBridge } from './bridge.js'
import { broadcast } from './broadcast.js'
import { conference, conferenceInfo, conferenceList } from './conference.js'
import { consult } from './consult.js'
import { dial } from './dial.js'
import { readDigits } from './digits.js'
import { sendDtmf } from './dtmf.js'
import { echo } from './echo.js'
import { mediaFork } from './fork.js'
import { hangup } from './hangup.js'
import { hold } from './hold.js'
import { callcenter, fifo, nativeApp } from './hooks.js'
import { intercept } from './intercept.js'
import { mute } from './mute.js'
import { nativeApi } from './native.js'
import { accept, answer } from './own.js'
import { play } from './play.js'
import { record } from './record.js'
import { register, shutdown } from './shutdown.js'
import { jStatus, nativeJsApi } from './status.js'
import { stop } from './stop.js'
import { threeWay } from './three-way.js'
import { transfer } from './transfer.js'
import { getChannelData, getState, getVar, setVar } from './variables.js'

/** Every method of the XNode service. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['XNode.Accept', accept],
  ['XNode.Answer', answer],
  ['XNode.Hangup', hangup],
  ['XNode.SetVar', setVar],
  ['XNode.GetVar', getVar],
  ['XNode.GetState', getState],
  ['XNode.GetChannelData', getChannelData],
  ['XNode.Dial', dial],
  ['XNode.Bridge', bridge],
  ['XNode.ChannelBridge', channelBridge],
  ['XNode.ChannelBridge2', channelBridge2],
  ['XNode.UnBridge', unBridge],
  ['XNode.UnBridge2', unBridge],
  ['XNode.Transfer', transfer],
  ['XNode.Consult', consult],
  ['XNode.Intercept', intercept],
  ['XNode.ThreeWay', threeWay],
  ['XNode.Echo2', echo],
  ['XNode.NativeApp', nativeApp],
  ['XNode.NativeAPI', nativeApi],
  ['XNode.NativeJSAPI', nativeJsApi],
  ['XNode.JStatus', jStatus],
  ['XNode.ConferenceInfo', conferenceInfo],
  ['XNode.ConferenceList', conferenceList],
  ['XNode.FIFO', fifo],
  ['XNode.Callcenter', callcenter],
  ['XNode.Conference', conference],
  ['XNode.AI', { on: 'nothing', lacks: 'dialogues with a service; Play or MediaFork may serve' }],
  ['XNode.HttAPI', { on: 'nothing', lacks: 'calls that a web service scripts' }],
  ['XNode.Lua', { on: 'nothing', lacks: 'Lua scripts on a channel' }],
  ['XNode.Register', register],
  ['XNode.Shutdown', shutdown],
  ['XNode.MediaFork', mediaFork],
  ['XNode.Play', play],
  ['XNode.Stop', stop],
  ['XNode.SendINFO', { on: 'nothing', lacks: "SIP INFO with a body of one's own" }],
  ['XNode.DetectSpeech', { on: 'nothing', lacks: 'speech recognition' }],
  ['XNode.StopDetectSpeech', { on: 'nothing', lacks: 'speech recognition' }],
  ['XNode.DetectSpeechFeedTTS', { on: 'nothing', lacks: 'speech recognition with spoken text' }],
  ['XNode.RingBackDetection', { on: 'nothing', lacks: 'the detection of ringback tones' }],
  ['XNode.DetectFace', { on: 'nothing', lacks: 'video analysis' }],
  ['XNode.TTSPreheat', { on: 'nothing', lacks: 'a speech engine whose speech could be made in advance' }],
  ['XNode.ReadDTMF', readDigits],
  ['XNode.ReadDigits', readDigits],
  ['XNode.SendDTMF', sendDtmf],
  ['XNode.Mute', mute],
  ['XNode.Hold', hold],
  ['XNode.Broadcast', broadcast],
  ['XNode.Record', record],
])
