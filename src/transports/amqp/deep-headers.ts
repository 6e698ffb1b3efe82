import type { ChannelModel } from 'amqplib'

/** What we use of the client library's connection beyond its types. */
interface RawConnection {
  /** Bytes that came and were not read yet. */
  rest: Buffer
  /** Takes the next frame off `rest`; false when it is not whole yet. */
  recvFrame(): unknown
}

/** A frame: its type, channel and size, then as many bytes. */
const FRAME_HEAD_BYTES = 7
const CONTENT_HEADER = 2

/**
 * Has a connection outlive headers that are nested deeper than the client library can read: it runs out of stack, ends
 * the connection, and would do so again for every copy of the message that the broker sends after it. Such a
 * message comes without properties; its body is judged like any other.
 */
export function surviveDeepHeaders({ connection }: ChannelModel): void {
  if (!isRaw(connection)) return
  const raw = connection
  const receive = raw.recvFrame.bind(raw)
  raw.recvFrame = () => {
    // The library has what came in the meantime read by this very function again.
    const before = raw.rest
    try {
      return receive()
    } catch (error) {
      const frame = error instanceof RangeError && raw.rest !== before ? withoutProperties(before) : undefined
      if (frame === undefined) throw error
      return frame
    }
  }
}

/** Fields that the library does not declare; a test holds them to it. */
function isRaw(connection: object): connection is RawConnection {
  return (
    'recvFrame' in connection &&
    typeof connection.recvFrame === 'function' &&
    'rest' in connection &&
    Buffer.isBuffer(connection.rest)
  )
}

/** The content header at the beginning of some bytes as the library decodes it; undefined for any other frame. */
function withoutProperties(bytes: Buffer): object | undefined {
  if (bytes.readUInt8(0) !== CONTENT_HEADER) return undefined
  const payload = bytes.subarray(FRAME_HEAD_BYTES)
  return {
    id: payload.readUInt16BE(0),
    channel: bytes.readUInt16BE(1),
    size: Number(payload.readBigUInt64BE(4)),
    fields: {},
  }
}
