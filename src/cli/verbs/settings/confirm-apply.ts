import { domainOf } from "../../../core/net/address.ts";
import { dayAndTime } from "../../../core/shown.ts";
import { plural } from "../../../core/text.ts";
import { DAY_MS, instant, later } from "../../../core/time.ts";
import type { Settings } from "../../../settings/schema.ts";
import { toPolicy } from "../../../settings/to-policy.ts";
import type { ReplayReport } from "../../../wire/control/replay-items.ts";
import { type CommandCall, type CommandFailure, failed, PROGRAM } from "../../call.ts";
import { agrees } from "../../confirm.ts";
import { leftOut } from "../../print/replay.ts";
import type { Reader } from "../../reader.ts";

/** How far back settings are tried on recorded events before they are applied: some seconds of work. */
const LOOKED_BACK_MS = 7 * DAY_MS;
const MOST_EVENTS = 100_000;
const NAMED = 5;

/** Settings that decisions depend on (settings/to-policy.ts). */
const DECIDES =
  /^(limits\.(mail|connections|recipients|logins|accounts|networks)\.|bans\.|logins\.|allow\.|providers\.|recipients\.|greylist\.enabled$|fail2ban\.sentences$|domains$|simulate$)/;

/** `note`: what the check could not see; empty if nothing. */
export type Confirmed = Readonly<{ ok: true; note: string }>;

/**
 * Asks for confirmation if accounts would lose the domain to which their mail comes, or if the settings would have refused a
 * sign-in that succeeded.
 */
export async function confirmApply(
  call: CommandCall,
  settings: Settings,
  changed: readonly string[],
): Promise<CommandFailure | Confirmed> {
  const isReplayed = !settings.simulate && changed.some((key) => DECIDES.test(key));
  if (call.flag("yes") || (!isReplayed && !changed.includes("domains"))) return { ok: true, note: "" };
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const names = changed.includes("domains") ? withoutDomain(opened.reader, settings) : [];
  if (names.length > 0) {
    const agreed = await agreedTo(call, refusedMail(names), "");
    if (!agreed.ok) return agreed;
  }
  if (!isReplayed) return { ok: true, note: "" };
  const now = instant(call.now());
  const report = await opened.reader.replay({
    policy: { ...toPolicy(settings), simulate: false },
    allowNow: settings["allow.networks"],
    proxies: [...settings["http.trusted_proxies"], ...settings["proxy.networks"]],
    since: later(now, -LOOKED_BACK_MS),
    only: null,
    mostEvents: MOST_EVENTS,
    now,
  });
  const note = leftOut(report.reach);
  if (report.accounts.total === 0)
    return { ok: true, note: note === "" ? "" : `No user would have been turned away. ${note}` };
  const says = `${warning(report)} ${note}`.trim();
  return agreedTo(call, says, `\`${PROGRAM} config simulate\` shows more; `);
}

async function agreedTo(call: CommandCall, says: string, more: string): Promise<CommandFailure | Confirmed> {
  const next = `${more}\`${PROGRAM} config apply --yes\` applies them all the same.`;
  if (!call.terminal.interactive) return failed(`Nothing was applied: ${says}`, next);
  return (await agrees(call, `${says} Apply it all the same?`))
    ? { ok: true, note: "" }
    : failed("Nothing was applied.", next);
}

/** Accounts at domains that are not mail domains any more, for example because one was misspelled. */
function withoutDomain(reader: Reader, { domains }: Settings): readonly string[] {
  const { items } = reader.accounts({ limit: 1_000_000, cursor: null });
  const ours = new Set<string>(domains);
  return items.map(({ name }) => name).filter((name) => !ours.has(domainOf(name)));
}

function refusedMail(names: readonly string[]): string {
  const others = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `with these domains mail to ${names.slice(0, NAMED).join(", ")}${others} is refused for good.`;
}

function warning({ accounts, events, from }: ReplayReport): string {
  const named = accounts.items.slice(0, NAMED).map(({ account, ip }) => `${account} (from ${ip})`);
  const others = accounts.total > named.length ? ` and ${accounts.total - named.length} more` : "";
  const since = from === null ? "" : ` since ${dayAndTime(from)}`;
  return `these settings would have turned away ${named.join(", ")}${others}, who signed in, in the ${plural(events, "event")}${since}.`;
}
