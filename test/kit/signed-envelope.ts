/** A message in a signed envelope (RFC 8551, 3.5.2; PKCS #7, RFC 2315, 9.1) without a signature, in pieces of this size. */
export function signedEnvelope(message: string, pieceBytes: number): Buffer {
  const bytes = Buffer.from(message, "latin1");
  const size = Math.min(pieceBytes, bytes.length);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    asn1(0x04, bytes.subarray(n * size, (n + 1) * size)),
  );
  const content = asn1(0x30, DATA, asn1(0xa0, asn1(0x24, Buffer.concat(pieces))));
  return asn1(0x30, SIGNED_DATA, asn1(0xa0, asn1(0x30, VERSION, EMPTY_SET, content, EMPTY_SET)));
}

/** X.690, 8.1: a type, a length and contents. */
function asn1(type: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([Buffer.from([type, 0x84]), length, content]);
}

const SIGNED_DATA = Buffer.from("06092a864886f70d010702", "hex");
const DATA = Buffer.from("06092a864886f70d010701", "hex");
const VERSION = Buffer.from("020101", "hex");
const EMPTY_SET = Buffer.from("3100", "hex");
