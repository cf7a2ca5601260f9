import { decision } from "../../core/decide/decision.ts";
import { MOST_IN_FILTERS } from "../../core/decide/mail.ts";
import type { Observation } from "../../core/events/log.ts";
import type { EndOfMessage } from "../../core/events/mail.ts";
import { MINUTE_MS, type Millis } from "../../core/time.ts";
import type { Clock, Submit } from "../../guard/ports.ts";

/** Smaller mails always pass: even one in each SMTP connection is little. */
export const SMALL_BYTES = 256 * 1024;
/** A mail counts no longer than this, in case no log line shows its end. */
const LONGEST_MS = MINUTE_MS;

/**
 * Bounds how much mail the content filters read at once. Without it, strangers who send much at the same time could keep Rspamd
 * busy for longer than Postfix waits for it, and mail would pass unverified.
 */
export class FilterLoad {
  /** By queue id, the oldest first. */
  readonly #mails = new Map<string, Readonly<{ sizeBytes: number; since: Millis }>>();
  #bytes = 0;
  /** The queue id of the mail that may hide parts and that the filters may read now. */
  #hidingParts = "";
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Postfix asks at the end of a mail, before the filters read it. Our milter then asks about a mail that exceeds a limit, and
   * about one that may hide more parts than it counted: the filters read only one of the latter at a time.
   */
  limiting(submit: Submit): Submit {
    return (event, answer) => {
      if (event.type !== "END_OF_MESSAGE") return submit(event, answer);
      if (event.mayHideParts === true && !this.#mails.has(this.#hidingParts)) {
        this.#hidingParts = event.queueId;
        return answer(decision("pass", "below_limit"));
      }
      submit(this.#limited(event), (decided) => {
        if (decided.verdict === "refuse" || decided.verdict === "defer") this.#leave(event.queueId);
        answer(decided);
      });
    };
  }

  /** A line of the log shows that Rspamd is done with a mail: it was marked or refused, or its delivery was tried. */
  observe(seen: Observation | null): Observation | null {
    const isDone = seen?.type === "MAIL_JUDGED" || seen?.type === "CONTENT_REFUSED" || seen?.type === "MAIL_TRIED";
    if (isDone) this.#leave(seen.queueId);
    return seen;
  }

  #limited(mail: EndOfMessage): EndOfMessage {
    if (mail.mayHideParts === true) return { ...mail, excess: { of: "bytes_in_filters", count: this.#bytes } };
    return mail.excess === undefined ? this.#enter(mail) : mail;
  }

  /** An account's mail is not deferred here: Postfix defers it if Rspamd does not answer in time, so that none leaves unsigned. */
  #enter(mail: EndOfMessage): EndOfMessage {
    const now = this.#clock.now();
    const { queueId, sizeBytes, account } = mail;
    for (const [old, { since }] of this.#mails) {
      if (Math.abs(now - since) < LONGEST_MS) break;
      this.#leave(old);
    }
    // Postfix may repeat a question.
    this.#leave(queueId);
    if (account === null && sizeBytes > SMALL_BYTES && this.#bytes >= MOST_IN_FILTERS)
      return { ...mail, excess: { of: "bytes_in_filters", count: this.#bytes } };
    this.#mails.set(queueId, { sizeBytes, since: now });
    this.#bytes += sizeBytes;
    return mail;
  }

  #leave(queueId: string): void {
    this.#bytes -= this.#mails.get(queueId)?.sizeBytes ?? 0;
    this.#mails.delete(queueId);
  }
}
