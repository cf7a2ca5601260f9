/** Decodes the next bytes of a body. Its lines end in LF, as filters take each CR for an end. */
export type Decode = (bytes: Buffer) => Buffer;

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
/** Longer space at the end of a line is not waited for. */
const MOST_HELD_BYTES = 1_000;

/** RFC 2045, 6.8. Skips characters outside the alphabet, as rspamd does, for which padding ends a group of four only after two of them. */
export function base64(): Decode {
  let group = 0;
  let length = 0;
  let isSkipping = false;
  const lines = lineEnds();
  return (bytes) => {
    const decoded = Buffer.alloc(bytes.length);
    let at = 0;
    for (const byte of bytes) {
      const bits = BITS[byte] ?? NONE;
      if (isSkipping) {
        isSkipping = false;
      } else if (bits !== NONE) {
        group = (group << 6) | bits;
        length = (length + 1) % 4;
        if (length !== 1) decoded[at++] = group >> (SPARE_BITS[length] ?? 0);
      } else if (byte === EQUALS && length === 2) {
        isSkipping = true;
        length = 0;
      }
    }
    return lines(decoded.subarray(0, at));
  };
}

const NONE = 255;
const BITS = new Uint8Array(256).fill(NONE);
for (const [bits, letter] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries())
  BITS[letter.charCodeAt(0)] = bits;
/** By the letters of a group so far: how many bits of the last one belong to the next byte. */
const SPARE_BITS = [0, 6, 4, 2] as const;

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

/** Makes one LF of each CR, LF, CRLF and LFCR, and drops NUL, as Postfix does in the mail itself. */
function lineEnds(): (bytes: Buffer) => Buffer {
  let before = 0;
  return (bytes) => {
    let length = 0;
    for (const byte of bytes) {
      if (byte === 0) continue;
      const isEnd = byte === CR || byte === LF;
      const isSecond = isEnd && byte !== before && (before === CR || before === LF);
      if (!isSecond) bytes[length++] = isEnd ? LF : byte;
      before = isSecond ? 0 : byte;
    }
    return bytes.subarray(0, length);
  };
}
