/** Decodes the next bytes of a body; null if decoders would differ on what they mean. Its lines end in LF, as filters take each CR for an end. */
export type Decode = (bytes: Buffer) => Buffer | null;

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
/** Longer space at the end of a line is not waited for. */
const MOST_HELD_BYTES = 1_000;

/** RFC 2045, 6.8. Null if there is more than the alphabet, white space and padding at the end. */
export function base64(): Decode {
  let left = "";
  let isPadded = false;
  const lines = lineEnds();
  return (bytes) => {
    const text = bytes.toString("latin1").replace(/\s+/g, "");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || (isPadded && !/^=*$/.test(text))) return null;
    isPadded ||= text.endsWith("=");
    const all = left + text.replace(/=+$/, "");
    const whole = isPadded ? all.length : all.length - (all.length % 4);
    left = all.slice(whole);
    return lines(Buffer.from(all.slice(0, whole), "base64"));
  };
}

/** RFC 2045, 6.7. An equals sign that encodes nothing stays. */
export function quotedPrintable(): Decode {
  let left: Buffer = Buffer.alloc(0);
  const lines = lineEnds();
  return (chunk) => {
    const bytes = left.length === 0 ? chunk : Buffer.concat([left, chunk]);
    const decoded = Buffer.alloc(bytes.length);
    let length = 0;
    let at = 0;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte !== EQUALS) {
        decoded[length++] = byte;
        continue;
      }
      const code = hex(bytes[at + 1]) * 16 + hex(bytes[at + 2]);
      if (!Number.isNaN(code)) {
        decoded[length++] = code;
        at += 2;
        continue;
      }
      const end = endOfSpace(bytes, at + 1);
      const isCut = end === bytes.length || at + 2 === bytes.length;
      if (isCut && bytes.length - at < MOST_HELD_BYTES) break;
      if (bytes[end] === LF) at = end;
      else decoded[length++] = byte;
    }
    left = Buffer.from(bytes.subarray(at));
    return lines(decoded.subarray(0, length));
  };
}

function endOfSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x09 || bytes[at] === CR) at++;
  return at;
}

function hex(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** Makes one LF of each CR, LF and CRLF. */
function lineEnds(): (bytes: Buffer) => Buffer {
  let isAfterCr = false;
  return (bytes) => {
    let length = 0;
    for (const byte of bytes) {
      if (byte !== LF || !isAfterCr) bytes[length++] = byte === CR ? LF : byte;
      isAfterCr = byte === CR;
    }
    return bytes.subarray(0, length);
  };
}
