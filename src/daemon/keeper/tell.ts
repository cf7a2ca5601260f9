import { setImmediate as nextTurn } from "node:timers/promises";
import { homeOf, redirectsIn } from "../../adapters/dovecot/redirects.ts";
import type { Forward } from "../../core/access-review.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { KeeperReply, KeeperTrouble } from "../../wire/control/keeper.ts";
import type { FirewallReport, Told } from "../../wire/control/reports.ts";
import { firewallState, stateJson } from "../firewall/firewall-state.ts";
import { readStrict } from "../firewall/strict-file.ts";
import { listStrict } from "../firewall/strict-table.ts";
import { incidentsOf } from "../incident/tell-incidents.ts";
import { certificateReport } from "./certificate-report.ts";
import { publicKeys } from "./dkim-public-keys.ts";
import { checksOf } from "./tell-checks.ts";
import { encryptionOf } from "./tell-encryption.ts";
import { tellFail2ban } from "./tell-fail2ban.ts";
import { retentionState, retentionTold } from "./tell-retention.ts";
import { upkeepOf } from "./upkeep.ts";

type Known = Readonly<{
  layout: Layout;
  read: Readonly<{ ok: true; settings: Settings }> | Readonly<{ ok: false; reason: string }>;
  troubles: Readonly<Record<"all" | "certificate", readonly KeeperTrouble[]>>;
  now: number;
}>;

/** Data that only root may read and others may know. */
export async function tell(about: Told, { layout, read, troubles, now }: Known): Promise<KeeperReply> {
  if (about === "upkeep")
    return { ok: true, detail: "", upkeep: upkeepOf(layout, troubles.all, read.ok ? read.settings : null) };
  if (about === "incidents") return { ok: true, detail: "", incidents: incidentsOf(layout) };
  if (about === "checks") return { ok: true, detail: "", checks: checksOf(layout) };
  if (!read.ok) return read;
  const { settings } = read;
  switch (about) {
    case "firewall":
      return { ok: true, detail: "", firewall: await firewallNow(settings, layout) };
    case "retention":
      return tellRetention(layout, settings, now);
    case "encryption":
      return tellEncryption(layout, settings);
    case "fail2ban":
      return tellFail2ban(layout, settings);
    case "dkim_keys":
      return { ok: true, detail: "", dkimKeys: publicKeys(layout, settings) };
    case "certificate":
      return certificateReport(layout, [settings["ports.submissions"], settings["ports.imaps"]], troubles.certificate);
  }
}

/** Where the Sieve scripts in the homes of these accounts forward mail. */
export async function tellRedirects({ mail }: Pick<Layout, "mail">, accounts: readonly string[]): Promise<KeeperReply> {
  try {
    const redirects: Forward[] = [];
    for (const account of accounts) {
      redirects.push(...redirectsIn(homeOf(mail, account), account));
      // Others can ask the keeper at the same time.
      await nextTurn();
    }
    return { ok: true, detail: "", redirects };
  } catch {
    return { ok: false, reason: "The Sieve scripts of the accounts cannot be read." };
  }
}

async function firewallNow(settings: Settings, layout: Layout): Promise<FirewallReport> {
  return stateJson(firewallState(settings, readStrict(layout), await listStrict()));
}

function tellRetention(layout: Layout, settings: Settings, now: number): KeeperReply {
  try {
    return { ok: true, detail: "", retention: retentionTold(retentionState(layout, settings, now)) };
  } catch {
    return { ok: false, reason: "The list of legal holds cannot be read, so no mail is removed." };
  }
}

function tellEncryption(layout: Layout, settings: Settings): KeeperReply {
  try {
    return { ok: true, detail: "", encryption: encryptionOf(layout, settings) };
  } catch {
    return { ok: false, reason: "The public key with which mail is encrypted cannot be read." };
  }
}
