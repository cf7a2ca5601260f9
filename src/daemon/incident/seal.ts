import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { createReadStream, existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import * as z from "zod/mini";
import { lastLines, runProgram } from "../../adapters/machine/run-program.ts";
import { createFile, setAccess, writeFile } from "../../adapters/root-files/files.ts";
import { messageOf } from "../../core/error.ts";
import type { Outcome } from "../../engine/ports.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Packed, packedFiles } from "./archive.ts";
import { prepareFolder } from "./folder.ts";

const [MANIFEST, SIGNATURE, SIGNER] = ["MANIFEST.json", "MANIFEST.sig", "signer.pem"] as const;
const PACKING_MS = 60 * 60_000;

const schema = z.object({
  format: z.literal(1),
  incident: z.string(),
  host: z.string(),
  at: z.string(),
  version: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })),
});
/** What a bundle holds, as it is signed. */
export type Manifest = Readonly<z.output<typeof schema>>;

/** The key that signs this server's bundles (Ed25519), made at its first use. */
function signingKey({ incidents }: Pick<Layout, "incidents">): KeyObject {
  const file = join(incidents, "signing-key.pem");
  prepareFolder(incidents);
  const { privateKey } = generateKeyPairSync("ed25519");
  createFile(file, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  return createPrivateKey(readFileSync(file, "utf8"));
}

/** Names a key: the SHA-256 of its public half (DER). */
function fingerprint(key: KeyObject): string {
  const open = key.type === "private" ? createPublicKey(key) : key;
  return createHash("sha256")
    .update(open.export({ type: "spki", format: "der" }))
    .digest("hex");
}

/** The key of this server; null if it has signed nothing yet. */
export function ownFingerprint({ incidents }: Pick<Layout, "incidents">): string | null {
  const file = join(incidents, "signing-key.pem");
  return existsSync(file) ? fingerprint(createPrivateKey(readFileSync(file, "utf8"))) : null;
}

/** Adds manifest, signature and public key to a directory, and packs it into one file. Returns what was signed. */
export async function seal(
  layout: Pick<Layout, "incidents">,
  directory: string,
  to: string,
  about: Omit<Manifest, "format" | "files">,
): Promise<Readonly<{ ok: true; files: number; sha256: string; signer: string }> | Extract<Outcome, { ok: false }>> {
  const key = signingKey(layout);
  const files: Manifest["files"] = [];
  for (const path of filesBelow(directory)) files.push({ path: relative(directory, path), ...(await digestOf(path)) });
  const manifest: Manifest = { format: 1, ...about, files };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  writeFile(join(directory, MANIFEST), text, { mode: 0o600 });
  writeFile(join(directory, SIGNATURE), sign(null, Buffer.from(text), key), { mode: 0o600 });
  writeFile(join(directory, SIGNER), createPublicKey(key).export({ type: "spki", format: "pem" }), { mode: 0o600 });
  const args = ["-C", directory, "--format=ustar", "--sort=name", "--owner=0", "--group=0", "-czf", to, "."];
  const packed = await runProgram("tar", args, { timeoutMs: PACKING_MS });
  if (packed.code !== 0) return { ok: false, reason: `tar failed: ${lastLines(packed)}` };
  setAccess(to, { mode: 0o600 });
  const sha256 = createHash("sha256").update(text).digest("hex");
  return { ok: true, files: files.length, sha256, signer: fingerprint(key) };
}

export type Verified = Readonly<{
  /** Null if it cannot be read. */
  manifest: Manifest | null;
  /** SHA-256 of the manifest, which the audit and the timeline name too; and of the key that signed it. */
  sha256: string;
  signer: string;
  /** Everything that does not fit; empty: nothing was changed. */
  faults: readonly string[];
}>;

const NOTHING = { manifest: null, sha256: "", signer: "" } as const;

/** Whether a bundle is as it was sealed. `own`: the key that must have signed it; null: any. */
export async function verifyBundle(file: string, own: string | null): Promise<Verified> {
  const found = new Map<string, Packed>();
  const faults: string[] = [];
  try {
    for await (const packed of packedFiles(file)) {
      if (found.has(packed.path)) faults.push(`${packed.path} is there twice`);
      found.set(packed.path, packed);
    }
  } catch (error) {
    return { ...NOTHING, faults: [`${basename(file)} cannot be read: ${messageOf(error)}`] };
  }
  const [text, signature, signer] = [MANIFEST, SIGNATURE, SIGNER].map((name) => found.get(name)?.text ?? null);
  if (!text || !signature || !signer) return { ...NOTHING, faults: [`it has no ${MANIFEST} with a signature`] };
  const key = keyIn(signer);
  const manifest = manifestIn(text);
  if (key === null || manifest === null) return { ...NOTHING, faults: [`its ${MANIFEST} or its key cannot be read`] };
  const sha256 = createHash("sha256").update(text).digest("hex");
  if (!verify(null, text, key, signature)) faults.push(`${MANIFEST} was changed: its signature does not fit`);
  const by = fingerprint(key);
  if (own !== null && own !== by) faults.push(`it is not signed by this server's key, but by ${by}`);
  const named = new Set<string>([MANIFEST, SIGNATURE, SIGNER]);
  for (const { path, bytes, sha256: wanted } of manifest.files) {
    named.add(path);
    const is = found.get(path);
    if (is === undefined) faults.push(`${path} is missing`);
    else if (is.sha256 !== wanted || is.bytes !== bytes) faults.push(`${path} was changed`);
  }
  for (const path of found.keys()) if (!named.has(path)) faults.push(`${path} was added`);
  return { manifest, sha256, signer: by, faults };
}

function keyIn(pem: Buffer): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === "ed25519" ? key : null;
  } catch {
    return null;
  }
}

function manifestIn(text: Buffer): Manifest | null {
  try {
    const read = z.safeParse(schema, JSON.parse(text.toString("utf8")));
    return read.success ? read.data : null;
  } catch {
    return null;
  }
}

/** Of all files below, in the order of their names. */
export function filesBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted();
}

export async function digestOf(path: string): Promise<Readonly<{ bytes: number; sha256: string }>> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of createReadStream(path)) {
    if (!Buffer.isBuffer(piece)) continue;
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}
