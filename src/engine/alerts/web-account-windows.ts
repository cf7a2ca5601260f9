import type { Holding } from "../../core/alerts/alerts.ts";
import type { AlertEvent } from "../../core/alerts/rules.ts";
import type { EventType } from "../../core/events/event-types.ts";
import type { Millis } from "../../core/time.ts";
import { EachChange } from "./each-change.ts";

/** Maximum within a day; further ones are reported by the hour. Added accounts have a separate share, so a file of them hides nothing. */
const MOST_ADDED = 10;
const MOST_CHANGED = 20;
/** Maximum for changes that users make to their own mailboxes, so that they do not hide changes to others. */
const MOST_OWN = 20;
/** The targets of an alias, up to this many characters; `alias list` shows the rest. */
const MOST_CHARACTERS = 400;
/** Changes that give access to a mailbox or its mail, remove one, or reopen what an incident has closed. */
const SAYS: Readonly<Partial<Record<EventType, string>>> = {
  ACCOUNT_ADDED: "was added",
  PASSWORD_CHANGED: "got a new password",
  APP_PASSWORD_MADE: "got a password for a mail program",
  ACCOUNT_REMOVED: "was removed",
  ACCOUNT_RESUMED: "may sign in again",
  ACCOUNT_RELEASED: "had its held mail sent",
  FORWARDING_CHANGED: "sends its mail on now",
  VACATION_CHANGED: "its vacation reply",
  NETWORKS_CHANGED: "may sign in now",
  ALIAS_ADDED: "the alias was added",
  ALIAS_REMOVED: "the alias was removed",
  ALIAS_BLOCKED: "the alias was blocked",
  ALIAS_UNBLOCKED: "the alias was unblocked",
};

/** Pauses a new forward (`young-forwards.ts`). */
const BY_GUARD = "engine";
const RESTS = "too much mail left through its new forward: for a while its mail stays in its mailbox";

/** The first acts of a thief with a mailbox's password, because they outlast the theft. */
const OWN: readonly EventType[] = ["APP_PASSWORD_MADE", "FORWARDING_CHANGED"];

/** Changes of accounts and aliases through the web within a day, one by one. */
export class WebAccountWindows {
  readonly #added = new EachChange("web_account", MOST_ADDED);
  readonly #changed = new EachChange("web_account", MOST_CHANGED);
  readonly #own = new EachChange("web_account", MOST_OWN);
  /** Before holidays many users set one: they hide no forward, and users' own replies hide none that was set for others. */
  readonly #ownReplies = new EachChange("web_account", MOST_OWN);
  readonly #replies = new EachChange("web_account", MOST_OWN);

  take({ id, type, account, subject, actor, at, isNewNetwork }: AlertEvent): void {
    const says = actor === BY_GUARD ? RESTS : SAYS[type];
    const name = account ?? subject?.split(" ")[0];
    if (says === undefined || name === undefined || actor === null) return;
    const changes = this.#changesOf(type, actor);
    if (changes === null) return;
    const what = subject === null ? says : `${says}: ${subject.slice(0, MOST_CHARACTERS)}`;
    changes.take({ at, subject: `${name} (event ${id})`, detail: `${what}, by ${actor}`, isNewNetwork });
  }

  #changesOf(type: EventType, actor: string): EachChange | null {
    if (actor === BY_GUARD) return type === "FORWARDING_CHANGED" ? this.#own : null;
    const [isUser, isWeb] = [actor.startsWith("mailbox:"), actor.startsWith("web:")];
    if (!isUser && !isWeb) return null;
    if (type === "VACATION_CHANGED") return isUser ? this.#ownReplies : this.#replies;
    if (isUser) return OWN.includes(type) ? this.#own : null;
    return type === "ACCOUNT_ADDED" ? this.#added : this.#changed;
  }

  holding(now: Millis): readonly Holding[] {
    return [this.#added, this.#changed, this.#own, this.#ownReplies, this.#replies].flatMap((changes) =>
      changes.holding(now),
    );
  }
}
