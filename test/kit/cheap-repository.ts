import { createCipheriv, createDecipheriv, createHash, randomBytes, scryptSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { prepareKey, readKey } from "../../src/jobs/backup/repository.ts";
import type { Layout } from "../../src/settings/layout.ts";

/** The minimum that restic accepts. Its default costs up to half a second of CPU time per command. */
const CHEAP = { N: 2, r: 1, p: 1 } as const;
/** The polynomial with which it splits files; irreducible, from a `restic init`. */
const POLYNOMIAL = "2d46d3b0ba25c9";
const DIRECTORIES = ["keys", "data", "index", "locks", "snapshots"];
/** Sizes of an encryption key (32) with a MAC key (16 and 16), of a nonce, and of a MAC. */
const [KEYS_BYTES, NONCE_BYTES, MAC_BYTES] = [64, 16, 16];

const keyFile = z.object({ N: z.number(), r: z.number(), p: z.number(), salt: z.string(), data: z.string() });

type Keys = Readonly<{ encrypt: Buffer; mac: Readonly<{ k: Buffer; r: Buffer }> }>;

/**
 * Makes the repository that the first backup would make, and this server's key to it. Contents are encrypted as usual, but the key
 * is cheap to derive: cheap to guess, and cheap for restic's commands. For tests that are not about making a repository. Format:
 * restic's manual, “References: Design”.
 */
export function makeCheapRepository(layout: Layout, place: string = layout.backupRepository): void {
  prepareKey(layout);
  for (const name of DIRECTORIES) mkdirSync(join(place, name), { recursive: true, mode: 0o700 });
  const master = keysOf(randomBytes(KEYS_BYTES));
  const config = { version: 2, id: randomBytes(32).toString("hex"), chunker_polynomial: POLYNOMIAL };
  writeFileSync(join(place, "config"), seal(master, JSON.stringify(config)), { mode: 0o400 });
  const { k, r } = master.mac;
  const mac = { k: k.toString("base64"), r: r.toString("base64") };
  lock(place, JSON.stringify({ mac, encrypt: master.encrypt.toString("base64") }), readKey(layout) ?? "");
}

/** Makes the key of a repository made by restic as cheap. */
export function makeCheap(place: string, password: string): void {
  for (const name of readdirSync(join(place, "keys"))) {
    const file = join(place, "keys", name);
    const { salt, data, ...cost } = z.parse(keyFile, JSON.parse(readFileSync(file, "utf8")));
    lock(place, open(userKeys(password, Buffer.from(salt, "base64"), cost), Buffer.from(data, "base64")), password);
    rmSync(file);
  }
}

function lock(place: string, master: string, password: string): void {
  const salt = randomBytes(KEYS_BYTES);
  const data = seal(userKeys(password, salt, CHEAP), master).toString("base64");
  const names = { created: new Date().toISOString(), username: "root", hostname: "lab", kdf: "scrypt" };
  const text = JSON.stringify({ ...names, ...CHEAP, salt: salt.toString("base64"), data });
  writeFileSync(join(place, "keys", createHash("sha256").update(text).digest("hex")), text, { mode: 0o400 });
}

function userKeys(password: string, salt: Buffer, cost: Readonly<Record<"N" | "r" | "p", number>>): Keys {
  return keysOf(scryptSync(password, salt, KEYS_BYTES, { ...cost, maxmem: 2 ** 28 }));
}

function keysOf(bytes: Buffer): Keys {
  const r = Buffer.from(bytes.subarray(48));
  for (const at of [3, 7, 11, 15]) r[at] = (r[at] ?? 0) & 0x0f;
  for (const at of [4, 8, 12]) r[at] = (r[at] ?? 0) & 0xfc;
  return { encrypt: bytes.subarray(0, 32), mac: { k: bytes.subarray(32, 48), r } };
}

/** AES-256 in counter mode, with a MAC by Poly1305-AES. */
function seal({ encrypt, mac }: Keys, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-ctr", encrypt, nonce);
  const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
  const aes = createCipheriv("aes-128-ecb", mac.k, null).setAutoPadding(false);
  return Buffer.concat([nonce, sealed, poly1305(sealed, number(mac.r), number(aes.update(nonce)))]);
}

/** With a wrong password the result is not JSON, which restic reports. */
function open({ encrypt }: Keys, sealed: Buffer): string {
  const cipher = createDecipheriv("aes-256-ctr", encrypt, sealed.subarray(0, NONCE_BYTES));
  return cipher.update(sealed.subarray(NONCE_BYTES, -MAC_BYTES)).toString("utf8");
}

/** RFC 8439, 2.5. */
function poly1305(message: Buffer, r: bigint, s: bigint): Buffer {
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const block = Buffer.concat([message.subarray(at, at + 16), Buffer.of(1)]);
    sum = ((sum + number(block)) * r) % ((1n << 130n) - 5n);
  }
  const tag = (sum + s) % (1n << 128n);
  return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse();
}

/** Little-endian. */
function number(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}
