import { createHash, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { createServer } from "node:http";

/** A certificate log (RFC 6962) of these certificates (PEM) that certspotter can read in full. It never grows. */
export function certificateLog(certificates: readonly string[]) {
  const keys = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const at = BigInt(Date.now());
  const leaves = certificates.map((pem) => leafOf(new X509Certificate(pem).raw, at));

  /** Section 3.5. */
  const signedHead = () => {
    const root = rootOf(leaves);
    const size = BigInt(leaves.length);
    const signed = Buffer.concat([Buffer.from([0, 1]), uint(at, 8), uint(size, 8), root]);
    const signature = sign("sha256", signed, keys.privateKey);
    // SHA-256 and ECDSA (RFC 5246, section 7.4.1.4.1).
    const whole = Buffer.concat([Buffer.from([4, 3]), uint(BigInt(signature.length), 2), signature]);
    return {
      tree_size: leaves.length,
      timestamp: Number(at),
      sha256_root_hash: root.toString("base64"),
      tree_head_signature: whole.toString("base64"),
    };
  };
  const answerTo = (path: string, start: number, end: number) => {
    if (path === "/ct/v1/get-sth") return signedHead();
    if (path !== "/ct/v1/get-entries") return null;
    // No chain.
    const entry = (leaf: Buffer) => ({ leaf_input: leaf.toString("base64"), extra_data: "AAAA" });
    return { entries: leaves.slice(start, end + 1).map(entry) };
  };
  const server = createServer(({ url = "" }, response) => {
    const { pathname, searchParams } = new URL(url, "http://log");
    const answer = answerTo(pathname, Number(searchParams.get("start")), Number(searchParams.get("end")));
    response.writeHead(answer === null ? 404 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer));
  });
  /** Its entry in a list of logs (https://www.gstatic.com/ct/log_list/v3/log_list_schema.json). */
  const listed = (url: string) => {
    const key = keys.publicKey.export({ type: "spki", format: "der" });
    const state = { usable: { timestamp: "2026-01-01T00:00:00Z" } };
    const log = { description: "lab", log_id: hash(key).toString("base64"), key: key.toString("base64"), mmd: 86_400 };
    return { version: "1.0", operators: [{ name: "lab", email: [], logs: [{ ...log, url, state }] }] };
  };
  return { server, listed };
}

/** A MerkleTreeLeaf (section 3.4) of version 0, for a certificate without extensions. */
function leafOf(certificate: Buffer, at: bigint): Buffer {
  const length = uint(BigInt(certificate.length), 3);
  const none = Buffer.alloc(2);
  return Buffer.concat([none, uint(at, 8), none, length, certificate, none]);
}

/** Section 2.1. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  const [first] = leaves;
  if (first === undefined) return hash(Buffer.alloc(0));
  if (leaves.length === 1) return hash(Buffer.concat([Buffer.from([0]), first]));
  const half = 2 ** (Math.ceil(Math.log2(leaves.length)) - 1);
  return hash(Buffer.concat([Buffer.from([1]), rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half))]));
}

const hash = (data: Buffer): Buffer => createHash("sha256").update(data).digest();

const uint = (value: bigint, bytes: number): Buffer => Buffer.from(value.toString(16).padStart(2 * bytes, "0"), "hex");
