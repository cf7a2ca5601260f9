import { basename } from "node:path";
import { jailsOf } from "../../adapters/fail2ban/client.ts";
import { userIds } from "../../adapters/machine/system-users.ts";
import { type Layout, USERS } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import type { KeeperReply } from "../../wire/control/keeper.ts";
import { refusedFilters } from "../set-up/adopt-filters.ts";

/** Shorter than the time that callers wait for the keeper. */
const LONGEST_MS = 15_000;
const MOST_CHARACTERS = 300;

/** What `fail2ban status` shows; refused filters without their directories. Never throws. */
export async function tellFail2ban(
  layout: Pick<Layout, "fail2banConf" | "fail2banSocket" | "fail2banOwn">,
  settings: Pick<Settings, "fail2ban.enabled" | "fail2ban.sentences">,
): Promise<KeeperReply> {
  const sentences = settings["fail2ban.sentences"];
  if (!settings["fail2ban.enabled"])
    return { ok: true, detail: "", fail2ban: { enabled: false, sentences, jails: [], refused: [] } };
  try {
    const asked = await jailsOf(layout, { ...userIds(USERS.fail2ban), signal: AbortSignal.timeout(LONGEST_MS) });
    // Its client's output contains paths, or text that a compromised Fail2ban chose.
    if (!asked.ok) return { ok: false, reason: "Fail2ban does not answer." };
    const refused = refusedFilters(layout).map(({ file, reason }) => ({
      file: basename(file),
      reason: reason.replaceAll(/\/\S*\//g, "").slice(0, MOST_CHARACTERS),
    }));
    return { ok: true, detail: "", fail2ban: { enabled: true, sentences, jails: asked.jails, refused } };
  } catch {
    return { ok: false, reason: "Fail2ban cannot be asked." };
  }
}
