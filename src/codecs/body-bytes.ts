/** Small bodies are cut from slabs of this size: allocating memory costs more than writing a body. */
const SLAB_BYTES = 64 * 1024
/** Longer texts get memory of their own, so that little of a slab is wasted. UTF-16 units. */
const MAX_SMALL = 4096
/** Most bytes that UTF-8 takes for one UTF-16 unit. */
const BYTES_PER_UNIT = 3

let slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
let used = 0

/** The UTF-8 bytes of a body. */
export function bodyBytes(text: string): Uint8Array {
  if (text.length > MAX_SMALL) return Buffer.from(text)
  makeRoom(text.length * BYTES_PER_UNIT)
  const from = used
  used += slab.write(text, from)
  return slab.subarray(from, used)
}

/** A body of these parts, one after the other. */
export function joinedBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (let i = 0; i < parts.length; i++) length += parts[i]!.length
  if (length > MAX_SMALL) return Buffer.concat(parts, length)
  makeRoom(length)
  const from = used
  for (let i = 0; i < parts.length; i++) {
    slab.set(parts[i]!, used)
    used += parts[i]!.length
  }
  return slab.subarray(from, used)
}

function makeRoom(bytes: number): void {
  if (used + bytes <= SLAB_BYTES) return
  slab = Buffer.allocUnsafeSlow(SLAB_BYTES)
  used = 0
}
