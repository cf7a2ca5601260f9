import type { Ban } from "../../core/decide/decision.ts";
import type { JailReported } from "../../core/events/report.ts";
import { plural } from "../../core/text.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Keeper } from "../../guard/admin-ports.ts";
import { Budget } from "../../guard/budget.ts";
import type { Figures } from "../../guard/figures.ts";
import type { Clock, Log, Notices } from "../../guard/ports.ts";

/** Reports more than `most` bans in force at once. The owner's bans do not count: they show no attack. */
export function lookAtBans(figures: Pick<Figures, "banCounts">, most: number, notices: Notices, clock: Clock): void {
  const { engine, fail2ban } = figures.banCounts(clock.now());
  const count = engine + fail2ban;
  notices.set("bans_in_force", count > most ? `${plural(count, "ban")} in force, more than ${most}` : null);
}

/** Maximum in an hour, to avoid a flood of mail; the next mail has the number of skipped ones. */
const MOST_AN_HOUR = 30;

/** Mails each ban that Fail2ban caused, as its users expect (jail.conf(5), destemail). */
export function createBanMails({ keeper, clock, log }: Readonly<{ keeper: Keeper; clock: Clock; log: Log }>) {
  const mails = new Budget(MOST_AN_HOUR, HOUR_MS);
  let unsaid = 0;

  /** Never throws; the caller does not wait for it. */
  return ({ prefix, createdAt, expiresAt }: Ban, { jail, failures }: JailReported): void => {
    if (!mails.spend(clock.now())) {
      unsaid += 1;
      return;
    }
    const lastsMs = expiresAt === null ? null : expiresAt - createdAt;
    const said = unsaid;
    unsaid = 0;
    void keeper.ask({ verb: "mail_ban", prefix, jail, failures, lastsMs, unsaid: said }).then((reply) => {
      if (reply.ok) return;
      unsaid += said + 1;
      log.warn("A mail about a ban could not be sent.", { prefix, why: reply.reason });
    });
  };
}
