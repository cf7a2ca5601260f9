import { BoundedMap } from "../../core/bounded-map.ts";
import type { SentMail } from "../../core/decide/facts.ts";
import type { MailFacts } from "../../core/events/mail.ts";
import { instant } from "../../core/time.ts";
import { LIMITS } from "../limits.ts";
import type { HoldState, SendingHistory } from "../storage-ports.ts";

type Mail = Pick<MailFacts, "session" | "transaction">;

const NEVER_HELD: HoldState = { evidence: null, vouchedAt: instant(0) };

/**
 * Mails of accounts that could not be written. Like wrong passwords they count only while the database cannot be written.
 * If the database cannot be read either, an account has sent nothing else, and knows every recipient.
 */
export class UnrecordedSends {
  /** By connection and transaction: a mail may be decided on twice. */
  readonly #accounts = new BoundedMap<string, BoundedMap<string, SentMail>>(LIMITS.unrecordedSenders);

  /** A mail that counts. */
  count(account: string, mail: Mail, sent: SentMail): void {
    const mails = this.#accounts.get(account) ?? new BoundedMap<string, SentMail>(LIMITS.unrecordedMails);
    mails.set(keyOf(mail), sent);
    this.#accounts.set(account, mails);
  }

  /** The recorded history together with these mails, without the one that is decided on. */
  beside(recorded: SendingHistory, decided: Mail | null): SendingHistory {
    const own = decided === null ? null : keyOf(decided);
    return {
      sentMails: (account, since, most) => {
        const known = read(() => recorded.sentMails(account, since, most), []);
        const written = new Set(known.map(({ at }) => at));
        const others = [...(this.#accounts.get(account) ?? [])].flatMap(([key, mail]) =>
          key !== own && mail.at > since && !written.has(mail.at) ? [mail] : [],
        );
        return [...known, ...others].toSorted((a, b) => a.at - b.at).slice(-most);
      },
      hasWritten: (...asked) => read(() => recorded.hasWritten(...asked), true),
      knowsPlace: (...asked) => read(() => recorded.knowsPlace(...asked), true),
      hold: (account) => read(() => recorded.hold(account), NEVER_HELD),
      refusals: (...asked) => read(() => recorded.refusals(...asked), 0),
    };
  }
}

function keyOf({ session, transaction }: Mail): string {
  return `${session} ${transaction}`;
}

function read<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}
