import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { dkimKeys } from "../../render/rspamd/dkim-keys.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";

type KeySettings = Pick<Settings, "domains" | "dkim.selector">;
type PublicKey = Readonly<{ domain: string; key: string }>;

/** Derived from the private keys that sign (SPKI in base64), so the two always match. Empty for a domain without a key. */
export function publicKeys(layout: Layout, settings: KeySettings): readonly PublicKey[] {
  const site = { layout, domains: settings.domains, dkimSelector: settings["dkim.selector"] };
  return dkimKeys(site).map(({ domain, file }) => ({ domain, key: publicKeyIn(file) }));
}

function publicKeyIn(file: string): string {
  try {
    return createPublicKey(readFileSync(file)).export({ type: "spki", format: "der" }).toString("base64");
  } catch {
    // Not created yet, or being replaced now.
    return "";
  }
}
