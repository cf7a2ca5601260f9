import { hostname } from "node:os";
import type { KeeperCommand, KeeperReply } from "../../admin/declare/keeper.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Clock } from "../../guard/ports.ts";
import { type Finished, lastLines, runProgram } from "../../host/machine/run-program.ts";
import type { Layout } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { alertMailTo, alertSender, postmaster, senderOf } from "./channels.ts";
import { type Envelope, mailText } from "./mail-text.ts";

export type AlertMail = Extract<KeeperCommand, { readonly verb: "mail_alert" }>;
/** Mails an alert from the keeper to the owner. */
export type MailAlarm = (alarm: Omit<AlertMail, "verb" | "id">) => Promise<KeeperReply>;

/** Far more than the number of alerts, so that even a compromised guard cannot fill a mailbox. */
const MOST_AN_HOUR = 200;

/** Puts alerts into our own queue, with sender and recipients from the settings. */
export function createAlertMails(layout: Layout, clock: Clock, queue = queueMail) {
  /** Keyed by the id of the alert's message, because a guard that is killed before it has stored the reply asks again. */
  const queued = new Map<string, Readonly<{ at: number; reply: Promise<KeeperReply> }>>();

  async function once(alert: AlertMail, settings: Settings | null, most = Infinity): Promise<KeeperReply> {
    const now = clock.now();
    for (const [id, { at }] of queued) if (at <= now - HOUR_MS || at > now) queued.delete(id);
    const known = queued.get(alert.id);
    if (known !== undefined && (await known.reply).ok) return known.reply;
    if (queued.size >= most) return { ok: false, reason: `${MOST_AN_HOUR} alerts were mailed within an hour.` };
    const envelope = envelopeOf(settings);
    const reply = queue(layout, { ...envelope, input: mailText({ ...alert, code: null, subject: "" }, envelope) });
    queued.set(alert.id, { at: now, reply });
    return reply;
  }

  return {
    async send(alert: AlertMail, settings: Settings | null): Promise<KeeperReply> {
      if (settings !== null && alertMailTo(settings).length === 0)
        return { ok: false, reason: "alerts.email is empty, and another channel has been set." };
      return once(alert, settings, MOST_AN_HOUR);
    },
    /** Mails an alert from the keeper while the guard, which knows the other channels, is down. The hourly limit does not apply. */
    alarm: (alert: AlertMail, settings: Settings | null) => once(alert, settings),
  };
}

/** If the settings cannot be read (null), Postfix adds our domain. */
function envelopeOf(settings: Settings | null): Envelope {
  if (settings === null)
    return { to: ["postmaster"], from: "postmaster", sender: { host: hostname(), contacts: [], language: "en" } };
  const named = alertMailTo(settings);
  const to = named.length === 0 ? [postmaster(settings)] : named;
  return { to, from: alertSender(settings), sender: senderOf(settings) };
}

/** On a disk without space, postdrop(1) retries endlessly. */
const QUEUEING_SECONDS = 10;

/** sendmail(1): the mail is in the queue, or waits until Postfix is back to queue it. */
export async function queueMail(
  { postfixConf }: Layout,
  { from, to, input }: Readonly<{ from: string; to: readonly string[]; input: string }>,
): Promise<KeeperReply> {
  const sendmail = ["/usr/sbin/sendmail", "-C", postfixConf, "-i", "-f", from, "--", ...to];
  // timeout(1) also ends the postdrop that sendmail started.
  const sent = await runProgram("timeout", ["-k", "1", String(QUEUEING_SECONDS), ...sendmail], { input });
  return sent.code === 0 ? { ok: true, detail: `Mailed ${to.join(", ")}.` } : { ok: false, reason: whyUnqueued(sent) };
}

/** On a full disk postdrop warns and waits, so its warning is the reason. */
export function whyUnqueued(sent: Finished): string {
  const isSilent = sent.code === 124 && !sent.stderr.includes("postdrop");
  return isSilent ? `sendmail took more than ${QUEUEING_SECONDS} seconds` : lastLines(sent);
}
