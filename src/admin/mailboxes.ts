import * as z from "zod/mini";
import { APP_PASSWORD_NAME, appPasswordName } from "../core/access/passwords.ts";
import type { Address } from "../core/net/address.ts";
import { dayAndTime } from "../core/time.ts";
import { noteOnRefusals } from "./aliases.ts";
import { flag, type OutputOf, object, text } from "./declare/fields.ts";
import type { AppPasswordItem } from "./declare/items.ts";
import {
  accountName,
  CONTROL_OR_HALF,
  lines,
  list,
  mailAddress,
  meaning,
  orNull,
  records,
  time,
  written,
} from "./declare/kinds.ts";
import { ADMIN, changes, changesWithSecret, OWN, orItsUser, PROVEN_ADMIN, reads, verb } from "./declare/verb.ts";

/** Settings that users change for their own mailbox, and the owner for any: app passwords, forwards, vacation reply. */

/** Maximum addresses to which one account forwards: each mail is sent once for each of them. */
export const MOST_FORWARDS = 10;
export const MOST_APP_PASSWORDS = 20;
const ofAccount = { name: accountName };
const to = meaning(list(z.string()), "Empty: mail stays in the mailbox.");
const keep = meaning(z.boolean(), "Whether a copy stays in the mailbox.");

const reply = object(() => ({
  subject: meaning(z.string(), "Empty: the reply has the subject of the mail."),
  text: z.string(),
  until: meaning(z.nullable(time), "Null: until someone ends it."),
}));
export type VacationItem = OutputOf<typeof reply>;
const vacation = () => meaning(z.nullable(reply()), "Null if no reply is stored. A reply that has ended stays stored.");

const app = written({
  // A letter may be typed as up to four characters, which are composed.
  most: 4 * APP_PASSWORD_NAME,
  parse: appPasswordName,
  fault: `is not 1 to ${APP_PASSWORD_NAME} letters, digits, spaces, dots or dashes`,
  says: "The name of the device.",
  example: "phone",
});
const appPasswords = object(() => ({
  items: records({
    id: z.string(),
    name: z.string(),
    made: time,
    lastUsed: meaning(z.nullable(time), "To the minute."),
    madeBy: meaning(z.optional(z.string()), "Who made it, and from where; hidden from the user of the mailbox."),
  }),
}));
const secret = object(() => ({ name: z.string(), app: z.string(), password: z.string() }));
const ofApp = object(() => ({ name: z.string(), app: z.string() }));
const MADE = {
  status: 201,
  named: { app: "name" },
  answer: object(() => ({ id: z.string(), name: z.string(), password: z.string() })),
  shape: (it: Readonly<{ app: string; password: string }>) => ({ id: it.app, name: it.app, password: it.password }),
} as const;
const REMOVED = {
  named: { app: "id" },
  answer: object(() => ({ id: z.string() })),
  shape: (it: Readonly<{ app: string }>) => ({ id: it.app }),
} as const;

const forwardingRead = object(() => ({ to, keep }));
/** Where the mail of an account is forwarded. `keep`: a copy stays in its mailbox. */
export type Forwarding = OutputOf<typeof forwardingRead>;
const forwardingSet = object(() => ({ name: z.string(), to, keep }));
const targets: z.ZodMiniType<readonly Address[], readonly string[]> = z
  .array(mailAddress, "is not a list")
  .check(z.maxLength(MOST_FORWARDS, `has more than ${MOST_FORWARDS} addresses`));
/** An empty list is refused: only DELETE ends forwarding. */
const SOME_FORWARD = { fields: { to: targets.check(z.minLength(1, "is empty")) } };
export const NO_FORWARD = { given: { to: [], keep: true } };

/** UTF-16 units. */
export const VACATION_LIMITS = { subject: 200, text: 4_000 } as const;
export const NO_VACATION = { given: { subject: "", text: null, until: null } };
// Twice the limit, as for `lines`, because trimmed characters do not count.
const replySubject = written({
  most: 2 * VACATION_LIMITS.subject,
  parse: (raw) => {
    const subject = raw.trim();
    return subject.length > VACATION_LIMITS.subject || CONTROL_OR_HALF.test(subject) ? null : subject;
  },
  fault: `is not one line of at most ${VACATION_LIMITS.subject} characters, without control characters`,
  says: "Empty: the reply has the subject of the mail.",
  example: "Away",
});
const replyText = lines(VACATION_LIMITS.text, "Back on Monday.");
/** Only DELETE ends the reply. */
const SOME_VACATION = { fields: { text: replyText } };
const vacationFields = {
  subject: z._default(replySubject, ""),
  text: z.nullable(replyText),
  // Parsed by the guard (`parseEnd`), whose clock decides whether it lies in the future.
  until: orNull(text(40), "An ISO time, or a day, which means its end in UTC. Null: until someone ends it."),
};
const vacationRead = object(() => ({ vacation: vacation() }));
const vacationSet = object(() => ({ name: z.string(), vacation: vacation() }));

const TO_READ = orItsUser(ADMIN, "name");
/** Needs no proof, as a suspension needs none: it only takes something away, and may be urgent. */
const TO_REMOVE = orItsUser(ADMIN, "name", { costs: false });
/** Stopping a forward needs a proof too, because mail would then stay in a mailbox that its user may never open. */
const TO_FORWARD = orItsUser(PROVEN_ADMIN, "name", { costsIf: "to" });
const TO_REPLY = orItsUser(PROVEN_ADMIN, "name", { costsIf: "text" });

/** The last word of `changes` is the limit on the web (`Bound` in declare/verb.ts). */
export const MAILBOX_VERBS = [
  verb("app_passwords", TO_READ, ofAccount, reads(appPasswords))
    .http(
      "GET /accounts/{name}/app-passwords",
      "The account's app passwords: who made each, and when it was last used.",
    )
    .http("GET /me/app-passwords", "The mailbox's app passwords, and when each was last used.", OWN),
  verb("app_password_add", orItsUser(PROVEN_ADMIN, "name"), { ...ofAccount, app }, changesWithSecret(secret, "lockout"))
    .http("POST /accounts/{name}/app-passwords", "Makes an app password for the account, which is shown once.", MADE)
    .http("POST /me/app-passwords", "Makes an app password for the mailbox, which is shown once.", { ...OWN, ...MADE })
    .cli("account app-password add ADDRESS NAME...", "Create an app password for a mail program, and show it once.", {
      words: ["name", "app"],
      done: (it) => `${it.password}\nType it into ${it.app}, with the user name ${it.name}. It is not shown again.`,
      next: ({ name }) => `account app-password list ${name}`,
    }),
  verb("app_password_remove", TO_REMOVE, { ...ofAccount, app }, changes(ofApp, "lockout"))
    .http(
      "DELETE /accounts/{name}/app-passwords/{id}",
      "Removes an app password, and ends the account's open sessions.",
      REMOVED,
    )
    .http("DELETE /me/app-passwords/{id}", "Removes an app password, and ends the open sessions of mail programs.", {
      ...OWN,
      ...REMOVED,
    })
    .cli("account app-password remove ADDRESS NAME...", "Remove an app password.", {
      words: ["name", "app"],
      done: ({ name, app: of }) =>
        `The app password ${of} of ${name} is removed, and the open sessions of the account were ended.`,
      next: ({ name }) => `account app-password list ${name}`,
    }),
  verb("forwarding", TO_READ, ofAccount, reads(forwardingRead))
    .http("GET /accounts/{name}/forwarding", "Where the account's mail is forwarded.")
    .http("GET /me/forwarding", "Where the mail of the mailbox is forwarded.", OWN),
  verb("forward_set", TO_FORWARD, { ...ofAccount, to: targets, keep: flag }, changes(forwardingSet, "lockout"))
    .http("PUT /accounts/{name}/forwarding", "Forwards the account's mail to these addresses.", SOME_FORWARD)
    .http("DELETE /accounts/{name}/forwarding", "Stops forwarding the account's mail.", NO_FORWARD)
    .http("PUT /me/forwarding", "Forwards the mail of the mailbox to these addresses.", { ...OWN, ...SOME_FORWARD })
    .http("DELETE /me/forwarding", "Stops forwarding.", { ...OWN, ...NO_FORWARD })
    .cli(
      "account forward ADDRESS [TO...]",
      "Forward the mail of an account to other addresses, or show the current state.",
      {
        words: ["name", "to"],
        given: { keep: true },
        switches: [
          { name: "keep", says: "Keep a copy in the mailbox; the default.", given: { keep: true } },
          { name: "no-keep", says: "Keep no copy in the mailbox.", given: { keep: false } },
          { name: "off", says: "Stop forwarding.", alone: true, ...NO_FORWARD },
        ],
        shows: "forwarding",
        done: forwardingText,
      },
    ),
  verb("vacation", TO_READ, ofAccount, reads(vacationRead))
    .http("GET /accounts/{name}/vacation", "The reply that the account sends while its user is away.")
    .http("GET /me/vacation", "The reply that is sent while the user is away.", OWN),
  verb("vacation_set", TO_REPLY, { ...ofAccount, ...vacationFields }, changes(vacationSet, "accounts"))
    .http(
      "PUT /accounts/{name}/vacation",
      "Replies to the account's mail while its user is away, to each proven sender once in seven days.",
      SOME_VACATION,
    )
    .http("DELETE /accounts/{name}/vacation", "Turns off the account's vacation reply.", NO_VACATION)
    .http("PUT /me/vacation", "Replies to mail while the user is away, to each proven sender once in seven days.", {
      ...OWN,
      ...SOME_VACATION,
    })
    .http("DELETE /me/vacation", "Turns off the vacation reply.", { ...OWN, ...NO_VACATION })
    .cli(
      "account vacation ADDRESS [TEXT...]",
      "Reply to mail for an account while its user is away, or show the reply.",
      {
        words: ["name", "text"],
        options: {
          subject: {
            name: "subject",
            value: "TEXT",
            says: "Subject of the reply; by default Auto: and the subject of the mail.",
          },
          until: {
            name: "until",
            value: "TIME",
            says: "The last day in UTC, such as 2026-12-24, or a time; by default until --off.",
          },
        },
        switches: [{ name: "off", says: "Stop replying.", alone: true, ...NO_VACATION }],
        shows: "vacation",
        done: ({ name, vacation: it }, _, nowMs) => vacationText(name, it, nowMs),
      },
    ),
] as const;

function forwardingText({ name, to: targets, keep: keeps }: OutputOf<typeof forwardingSet>): string {
  if (targets.length === 0) return `Mail for ${name} stays in its mailbox.`;
  const copy = keeps ? "and a copy stays in its mailbox" : "and none stays in its mailbox";
  const note = noteOnRefusals(name, targets);
  const loss = keeps || note === "" ? "" : " Refused mail is lost.";
  return `Mail for ${name} is sent on to ${targets.join(", ")}, ${copy}.${note}${loss}`;
}

/** Describes the whole reply for the command line. */
function vacationText(name: string, vacation: VacationItem | null, now: number): string {
  if (vacation === null) return `${name} sends no vacation reply.`;
  const { subject, text: body, until } = vacation;
  const end = until === null ? "you end it (--off)" : dayAndTime(until);
  const hasEnded = until !== null && Date.parse(until) <= now;
  const head = hasEnded ? `The reply of ${name} ended ${end}:` : `${name} sends this reply, until ${end}:`;
  const lines = body.split("\n").map((line) => `  ${line}`.trimEnd());
  return [head, ...(subject === "" ? [] : [`  Subject: ${subject}`, ""]), ...lines].join("\n");
}

/**
 * Settings through which someone else could receive or answer an account's mail. `forwarding` null: mail stays in the mailbox.
 * `vacation` null: no reply is stored.
 */
export type MailboxSettings = Readonly<{
  appPasswords: readonly AppPasswordItem[];
  forwarding: Forwarding | null;
  vacation: VacationItem | null;
}>;

/** How to end a setting that a thief may have made and that a new password does not remove. */
type SettingEnd = Readonly<{
  isSet: (own: MailboxSettings) => boolean;
  command: (name: string) => Readonly<{ verb: `${string}_set`; name: string }>;
  plan: (name: string, own: MailboxSettings) => string;
  did: (name: string, own: MailboxSettings) => string;
}>;

export const targetsOf = ({ forwarding: it }: MailboxSettings): readonly string[] => it?.to ?? [];

const onward = (own: MailboxSettings): string => targetsOf(own).join(", ");

export const SETTING_ENDS = [
  {
    isSet: ({ forwarding }) => forwarding !== null,
    command: (name) => ({ verb: "forward_set", name, ...NO_FORWARD.given }),
    plan: (name, own) => `Stop forwarding mail for ${name} to ${onward(own)}.`,
    did: (name, own) => `Mail for ${name} is no longer forwarded to ${onward(own)}.`,
  },
  {
    isSet: ({ vacation: it }) => it !== null,
    command: (name) => ({ verb: "vacation_set", name, ...NO_VACATION.given }),
    plan: (name) => `End the vacation reply of ${name}.`,
    did: (name, { vacation: it }) =>
      `The vacation reply of ${name} is ended. It was: ${`${it?.subject ?? ""} ${it?.text ?? ""}`.trim()}`,
  },
] as const satisfies readonly SettingEnd[];
