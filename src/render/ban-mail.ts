import { plural } from "../core/text.ts";
import { formatDuration } from "../core/time.ts";
import type { KeeperCommand } from "../wire/control/keeper.ts";

export type BanMail = Extract<KeeperCommand, { readonly verb: "mail_ban" }>;
export type BanMailEnvelope = Readonly<{ from: string; to: string; hostname: string }>;

/**
 * Worded like Fail2ban's own mails (action.d/sendmail.conf), for people who sort by them. Contains no text from
 * strangers.
 */
export function renderBanMail({ prefix, jail, failures, lastsMs, unsaid }: BanMail, envelope: BanMailEnvelope): string {
  const address = prefix.replace(/\/(?:32|128)$/, "");
  const length = lastsMs === null ? "for good" : `for ${formatDuration(lastsMs)}`;
  return [
    `From: Fail2Ban <${envelope.from}>`,
    `To: <${envelope.to}>`,
    `Subject: [Fail2Ban] ${jail}: banned ${address} from ${envelope.hostname}`,
    "Auto-Submitted: auto-generated",
    "Content-Type: text/plain; charset=us-ascii",
    "",
    "Hi,",
    "",
    `The IP ${address} has just been banned by Fail2Ban and GhostInbox ${length}`,
    `after ${failures} attempts against ${jail}.`,
    ...(unsaid === 0 ? [] : ["", `Of ${plural(unsaid, "ban")} before it no mail was sent: there were too many.`]),
    "",
    "To see why, and to lift it:",
    "",
    `  ghostinbox why ${address.replace(/\/.*$/, "")}`,
    `  ghostinbox unban ${address}`,
    "",
  ].join("\n");
}
