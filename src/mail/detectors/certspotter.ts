import { printable } from "../../core/text.ts";
import { SECOND_MS } from "../../core/time.ts";

/** What `examples/certspotter-hook` logged when certspotter called it (certspotter-script(8)). */
type Spotted =
  | Readonly<{
      event: "certificate";
      /** Milliseconds since the Unix epoch. */
      at: number;
      /** SHA-256 of the public key (SubjectPublicKeyInfo) in hexadecimal digits; `certificate` is that of the certificate. */
      key: string;
      certificate: string;
      /** The entry of the watch list. */
      item: string;
      issuer: string;
    }>
  | Readonly<{ event: "trouble"; at: number; says: string }>;

const HASH = /^[0-9a-f]{64}$/;
const LONGEST_TEXT = 120;
const FIELDS = 8;

/**
 * Reads a line of the hook: seconds, EVENT, WATCH_ITEM, PUBKEY_SHA256, CERT_SHA256, ISSUER_DN, SUMMARY and an end mark, separated by tabs.
 * Null if it is not one of these, or is incomplete.
 */
export function readSpotted(line: string): Spotted | null {
  const fields = line.split("\t");
  const [seconds = "", event, item = "", key = "", certificate = "", issuer = "", summary = "", end] = fields;
  if (fields.length !== FIELDS || end !== "." || !/^\d{1,12}$/.test(seconds)) return null;
  const at = Number(seconds) * SECOND_MS;
  if (event !== "discovered_cert") return { event: "trouble", at, says: printable(summary, LONGEST_TEXT) };
  if (!HASH.test(key) || !HASH.test(certificate)) return null;
  const text = { item: printable(item, LONGEST_TEXT), issuer: printable(issuer, LONGEST_TEXT) };
  return { event: "certificate", at, key, certificate, ...text };
}
