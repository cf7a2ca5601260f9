import { X509Certificate } from "node:crypto";
import type { KeeperTrouble } from "../../../admin/declare/keeper.ts";
import { messageOf, readOr } from "../../../core/error.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, MINUTE_MS } from "../../../core/time.ts";
import type { Clock, Failed } from "../../../guard/ports.ts";
import { readNamed, readPlain, writeFile } from "../../../host/root-files/files.ts";
import { servedFiles } from "../../../mail/certificates/issue-certificate.ts";
import { readSpotted } from "../../../mail/detectors/certspotter.ts";
import { fingerprint } from "../../../mail/dovecot/mail-keys.ts";
import type { Layout } from "../../../settings/layout.ts";
import type { Settings } from "../../../settings/schema.ts";

export type CertificateSettings = Pick<Settings, "certificates.log" | "certificates.files" | "certificates.known">;

/** Certificates are found minutes after their issue, and by this time ours should be in use. Clocks may differ by as much. */
const GRACE_MS = 15 * MINUTE_MS;
/** How long a failure of certspotter is reported. */
const TROUBLE_MS = DAY_MS;
/** A line has at most 1.5 KB. */
const MOST_LOG_BYTES = 4 * 1024 * 1024;
const MOST_CERTIFICATE_BYTES = 1024 * 1024;
const MOST_KEYS_BYTES = 1024 * 1024;
const NAMED = 3;

type Certificate = Extract<ReturnType<typeof readSpotted>, { event: "certificate" }>;

/**
 * Compares the certificates that certspotter found in the public logs with the keys that this server and the owner's other services use or
 * have used, which it notes. An unknown one stays reported until its key is known or its line is gone. Reads the hook's file as a whole
 * each time. While it cannot be read, the last known unknowns stay reported.
 */
export function createCertificateWatch(layout: Layout, clock: Clock, settings: () => CertificateSettings | null) {
  let found: readonly KeeperTrouble[] = [];
  /** The certificates of the last readable file. */
  let last: Readonly<{ file: string; certificates: readonly Certificate[] }> | null = null;

  /** Call it about each minute. Throws if the keys cannot be noted. */
  function look(): void {
    const file = settings()?.["certificates.log"] ?? "";
    const known = noteKeys();
    found = file === "" ? [] : compare(file, known);
  }

  function compare(file: string, known: ReadonlySet<string>): readonly KeeperTrouble[] {
    const now = clock.now();
    const { certificates, failing } = read(file, now);
    // A line from the future was written while the clock was wrong: its time is unknown.
    const isDue = (at: number): boolean => Math.abs(now - at) > GRACE_MS;
    const unknown = certificates.filter(({ key, at }) => !known.has(key) && isDue(at));
    const about = [...new Set(unknown.map(({ key }) => key))];
    return [
      ...(unknown.length === 0 ? [] : [{ code: "certificate_unknown" as const, detail: namesOf(unknown), about }]),
      ...(failing === null ? [] : [{ code: "transparency_failing" as const, detail: failing }]),
    ];
  }

  /** `failing`: why not all certificates are seen; null if they are. */
  function read(file: string, now: number): Readonly<{ certificates: readonly Certificate[]; failing: string | null }> {
    const log = textOf(file);
    if (!log.ok) return { certificates: last?.file === file ? last.certificates : [], failing: log.reason };
    const spotted = log.text.split("\n").flatMap((line) => readSpotted(line) ?? []);
    const certificates = spotted.filter((one) => one.event === "certificate");
    last = { file, certificates };
    const failed = spotted.filter((one) => one.event === "trouble").findLast(({ at }) => now - at < TROUBLE_MS);
    return { certificates, failing: failed === undefined ? null : `certspotter says: ${failed.says}` };
  }

  /** Notes the keys in use now, and returns all known keys. */
  function noteKeys(): ReadonlySet<string> {
    const { servedKeys } = layout;
    const noted = (readPlain(servedKeys, MOST_KEYS_BYTES)?.text ?? "").split("\n").filter((line) => line !== "");
    const files = [servedFiles(layout).cert, ...(settings()?.["certificates.files"] ?? [])];
    const all = new Set([...noted, ...files.flatMap(keyIn)]);
    if (all.size > noted.length) writeFile(servedKeys, `${[...all].join("\n")}\n`, { mode: 0o600 });
    return new Set([...all, ...(settings()?.["certificates.known"] ?? [])]);
  }

  return { look, troubles: () => found };
}

function textOf(file: string): Readonly<{ ok: true; text: string }> | Failed {
  try {
    const plain = readPlain(file, MOST_LOG_BYTES);
    if (plain !== null) return { ok: true, text: plain.text };
    const empty = "The hook creates it when it first runs; until then, create an empty file.";
    return { ok: false, reason: `${file} does not exist. ${empty}` };
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

/** The hash of the key of the first certificate in a file; empty if there is none. */
function keyIn(file: string): readonly string[] {
  // A file may be missing while it is renewed: the next check finds it, or the owner gets an alert about the certificate.
  return readOr(() => {
    const { publicKey } = new X509Certificate(readNamed(file, MOST_CERTIFICATE_BYTES));
    return [fingerprint(publicKey.export({ type: "spki", format: "pem" }))];
  }, []);
}

function namesOf(unknown: readonly Certificate[]): string {
  const byKey = [...Map.groupBy(unknown, ({ key }) => key).values()];
  const named = byKey.slice(0, NAMED).flatMap(([first]) => {
    if (first === undefined) return [];
    const { item, issuer, key, certificate } = first;
    return [`for ${item} by ${issuer}: key ${key}, certificate ${certificate}`];
  });
  const more = byKey.length - named.length;
  return `${named.join("; ")}${more > 0 ? `; and ${plural(more, "more key")}` : ""}`;
}
