import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { SECOND_MS } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import type { KeeperReply, KeeperTrouble } from "../../wire/control/keeper.ts";
import { servedFiles } from "../set-up/issue-certificate.ts";
import { shownAt } from "./configuration/served-certificate.ts";

const LOOK_MS = 3 * SECOND_MS;

/** The certificate that Postfix and Dovecot read, and whether the ports with TLS from the start serve it. */
export async function certificateReport(
  layout: Layout,
  ports: readonly number[],
  troubles: readonly KeeperTrouble[],
): Promise<KeeperReply> {
  const leaf = readServed(layout);
  if (leaf === null) return { ok: false, reason: "No certificate is in use yet." };
  const found = await Promise.all(
    ports.map(async (port) => {
      const shown = await shownAt(port, LOOK_MS);
      return { port, isServed: shown === null ? null : shown === leaf.fingerprint256 };
    }),
  );
  const names = (leaf.subjectAltName ?? leaf.subject).split(/, |\n/).map((name) => name.replace(/^(DNS:|CN=)/, ""));
  const certificate = {
    names,
    issuer: leaf.issuer.replaceAll("\n", ", "),
    isSelfSigned: leaf.checkIssued(leaf) && leaf.verify(leaf.publicKey),
    notBefore: leaf.validFromDate.toISOString(),
    notAfter: leaf.validToDate.toISOString(),
    fingerprint: leaf.fingerprint256,
    trouble: troubles.length === 0 ? null : troubles.map(({ detail }) => detail).join("; "),
    ports: found,
  };
  return { ok: true, detail: "", certificate };
}

function readServed(layout: Layout): X509Certificate | null {
  try {
    return new X509Certificate(readFileSync(servedFiles(layout).cert));
  } catch {
    return null;
  }
}
