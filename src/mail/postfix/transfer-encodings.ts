/** Decodes the next bytes of a body into a new buffer. */
export type Decode = (bytes: Buffer) => Buffer;

/** For a body that is not encoded. */
export function asIs(): Decode {
  return (bytes) => Buffer.from(bytes);
}

const CR = 0x0d;
const LF = 0x0a;
const EQUALS = 0x3d;
/** Maximum space at the end of a line that waits for the next bytes. */
const MOST_HELD_BYTES = 1_000;

/** RFC 2045, 6.8. Skips characters outside the alphabet. As in rspamd, padding ends a group of four only after two characters. */
export function base64(): Decode {
  let group = 0;
  let length = 0;
  let isSkipping = false;
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
    return decoded.subarray(0, at);
  };
}

const NONE = 255;
const BITS = new Uint8Array(256).fill(NONE);
for (const [bits, letter] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries())
  BITS[letter.charCodeAt(0)] = bits;
/** By the letters of a group so far: how many bits of the last one belong to the next byte. */
const SPARE_BITS = [0, 6, 4, 2] as const;

/** RFC 2045, 6.7. Keeps an equals sign that encodes nothing. */
export function quotedPrintable(): Decode {
  let left: Buffer = Buffer.alloc(0);
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
    return decoded.subarray(0, length);
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

/**
 * Removes the headers of an ASN.1 structure (X.690, 8.1), which leaves the contents of all its values. A signed envelope may hold
 * its message in pieces, which OpenSSL joins for rspamd whatever their type.
 */
export function asn1Contents(): Decode {
  let stage: "type" | "long type" | "length" | "long length" = "type";
  let isConstructed = false;
  let lengthBytes = 0;
  let length = 0;
  let contentBytes = 0;
  // A constructed value contains others, whose headers follow.
  const start = (bytes: number): void => {
    stage = "type";
    contentBytes = isConstructed ? 0 : bytes;
  };
  return (bytes) => {
    let kept = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + contentBytes);
      bytes.copyWithin(kept, at, end);
      kept += end - at;
      contentBytes -= end - at;
      at = end;
      const byte = bytes[at++];
      if (byte === undefined) break;
      if (stage === "type") {
        isConstructed = (byte & 0x20) !== 0;
        stage = (byte & 0x1f) === 0x1f ? "long type" : "length";
      } else if (stage === "long type") {
        if (byte < 0x80) stage = "length";
      } else if (stage === "length") {
        lengthBytes = byte & 0x7f;
        length = 0;
        if (byte < 0x80) start(byte);
        // Of unknown length: it ends with two zeros, which read like an empty value.
        else if (lengthBytes === 0) stage = "type";
        else stage = "long length";
      } else {
        length = length * 256 + byte;
        lengthBytes--;
        if (lengthBytes === 0) start(length);
      }
    }
    return bytes.subarray(0, kept);
  };
}

/** Marks a line end that only some filters recognize, so that such a line does not count as empty. White space for `trimEnd`. */
export const ODD_END = 0x0b;

/** Replaces each CR and CRLF by LF, since filters accept each as a line end, and drops NUL, as Postfix does. */
export function lineEnds(): Decode {
  let isAfterCr = false;
  return (bytes) => {
    const lines = Buffer.allocUnsafe(2 * bytes.length + 2);
    let length = 0;
    for (const byte of bytes) {
      if (byte === 0) continue;
      if (isAfterCr && byte !== LF) {
        lines[length++] = ODD_END;
        lines[length++] = LF;
      }
      isAfterCr = byte === CR;
      if (!isAfterCr) lines[length++] = byte;
    }
    return lines.subarray(0, length);
  };
}
