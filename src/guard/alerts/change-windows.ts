import { callersIp, isMailboxUser, isWebAdmin } from "../../admin/declare/rights.ts";
import type { ConditionCode, Holding } from "../../core/alerts/alerts.ts";
import { type AlertEvent, LONGEST_WINDOW_MS, type OWNERS_CHANGES } from "../../core/alerts/rules.ts";
import { type EventType, meaningOf } from "../../core/events/event-types.ts";
import { plural } from "../../core/text.ts";
import { HOUR_MS, instant, isoTime, type Millis } from "../../core/time.ts";
import { type AlertWindow, timedConditions } from "./alert-window.ts";

type WebChange = Readonly<{ at: Millis; subject: string; detail: string; isNewNetwork: boolean }>;
type TimedHolding = Readonly<{ at: Millis; holding: Holding }>;

/**
 * Changes through the web within a day. Each has a separate alert, even a second change of the same thing. Past `most` alerts,
 * the changes of each hour share one, which names the user if all are by one user, so that harmless changes leave room for other
 * alerts. A change from a network that is not the owner's is critical.
 */
export function eachChange({ code: usual, most, whose }: Pick<Reported, "code" | "most" | "whose">) {
  let single: readonly TimedHolding[] = [];
  const hours = new Map<string, TimedHolding & Readonly<{ count: number }>>();
  /** So that no entry lasts forever after a clock was set back. */
  const forget = (now: Millis): void => {
    const isOver = ({ at }: TimedHolding): boolean => Math.abs(now - at) >= LONGEST_WINDOW_MS;
    single = single.filter((one) => !isOver(one));
    for (const [key, seen] of hours) if (isOver(seen)) hours.delete(key);
  };
  return {
    take: ({ at, subject, detail, isNewNetwork }: WebChange): void => {
      forget(at);
      const code = isNewNetwork ? "web_new_network" : usual;
      if (single.length < most) {
        single = [...single, { at, holding: { code, subject, detail } }];
        return;
      }
      const hour = Math.floor(at / HOUR_MS);
      const key = `${code} ${hour}`;
      const count = (hours.get(key)?.count ?? 0) + 1;
      const more = `further changes since ${isoTime(instant(hour * HOUR_MS))}`;
      const of = whose === undefined ? more : `${whose} (${more})`;
      const holding = { code, subject: of, detail: `${count} so far, the last: ${subject}: ${detail}` };
      hours.set(key, { at, count, holding });
    },
    holding: (now: Millis): readonly Holding[] => {
      forget(now);
      return [...single, ...hours.values()].map(({ holding }) => holding);
    },
  };
}

/** `share`: the changes that are counted together; `most`: their maximum within a day; `whose`: the user, if they are one user's. */
type Reported = Readonly<{ share: string; code: ConditionCode; most: number; whose?: string; change: WebChange }>;

/** Changes within a day, one by one. */
export function changeWindow(): AlertWindow {
  const shares: Shares = new Map();
  /** For each user who changes their own mailbox. */
  const ofUsers: Shares = new Map();
  return {
    take: (event) => {
      const reported = accountChange(event) ?? ownersChange(event);
      if (reported === null) return;
      const { share, whose, change } = reported;
      if (whose === undefined) return take(shares, reported);
      // Half of the room is reserved for users who have no alert yet.
      const isFirst = (ofUsers.get(share)?.holding(change.at).length ?? 0) === 0;
      const most = isFirst ? MOST_OF_USERS : MOST_OF_USERS / 2;
      if (holdingIn(ofUsers, change.at).length < most) take(ofUsers, reported);
      else take(shares, { ...reported, share: "users", most: 0, whose: "several users" });
    },
    holding: (now) => [...holdingIn(ofUsers, now), ...holdingIn(shares, now)],
  };
}

type Shares = Map<string, ReturnType<typeof eachChange>>;

function take(shares: Shares, reported: Reported): void {
  shares.getOrInsertComputed(reported.share, () => eachChange(reported)).take(reported.change);
}

function holdingIn(shares: Shares, now: Millis): readonly Holding[] {
  return [...shares.values()].flatMap((changes) => changes.holding(now));
}

/**
 * Maximum within a day; further ones share an alert for each hour. Each user's changes to their own mailbox, each type with `apart`, and
 * the guard's own pauses have separate shares, so that many changes of one kind do not hide any other.
 */
const MOST_ACCOUNT_CHANGES = 20;
const MOST_OF_USER = 5;
/** Maximum alerts about users' changes within a day, to leave room for others. */
const MOST_OF_USERS = 60;
/** The targets of an alias, up to this many characters; `alias list` shows the rest. */
const MOST_CHARACTERS = 400;

/** The actor of the guard's own changes. */
const BY_GUARD = "engine";

/** A change of an account or an alias through the web, or by the guard. */
function accountChange({ id, type, account, subject, actor, at, isNewNetwork }: AlertEvent): Reported | null {
  const name = account ?? subject?.split(" ")[0];
  const alert = meaningOf(type).alert;
  if (alert === undefined || name === undefined || actor === null) return null;
  const isGuards = actor === BY_GUARD;
  const isUsers = isGuards ? alert.byGuard !== undefined : isMailboxUser(actor) && alert.byUser === true;
  if (!isUsers && !isWebAdmin(actor)) return null;
  const says = (isGuards ? alert.byGuard : undefined) ?? alert.says;
  const what = subject === null ? says : `${says}: ${subject.slice(0, MOST_CHARACTERS)}`;
  const change = { at, subject: `${name} (event ${id})`, detail: `${what}, by ${actor}`, isNewNetwork };
  const apart = alert.apart === undefined ? "" : ` ${type}`;
  const reported = { code: "web_account", change } as const;
  return isUsers
    ? { ...reported, share: `${name}${apart}${isGuards ? " paused" : ""}`, most: MOST_OF_USER, whose: name }
    : { ...reported, share: `owner${apart}`, most: alert.apart ?? MOST_ACCOUNT_CHANGES };
}

/** More wrong codes than an owner is likely to type by mistake. */
const GUESSES = 5;
/** Maximum of each kind within a day; further changes share an alert for each hour. */
const MOST_OF_KIND = 20;

/** Sign-ins through the web that had the right password, but no code or wrong ones. */
export function factorWindow(): AlertWindow {
  let wrong: readonly Millis[] = [];
  /** Addresses from which the right password came without a code: each is reported once. */
  const asked = timedConditions(LONGEST_WINDOW_MS, MOST_OF_KIND);
  return {
    take: ({ type, actor, at, isNewNetwork }) => {
      if (actor === null || !isWebAdmin(actor)) return;
      if (type === "SECOND_FACTOR_ASKED" && isNewNetwork)
        asked.set({ code: "password_without_code", subject: callersIp(actor) ?? "", detail: "" }, at);
      if (type === "SECOND_FACTOR_FAILED") wrong = [...wrong, at].slice(-GUESSES);
    },
    holding: (now) => {
      // So that no code counts forever after a clock was set back.
      wrong = wrong.filter((at) => Math.abs(now - at) < LONGEST_WINDOW_MS);
      if (wrong.length < GUESSES) return asked.holding(now);
      const detail = `${plural(GUESSES, "wrong code")} or more within a day`;
      return [...asked.holding(now), { code: "second_factor_guessed", subject: "", detail }];
    },
  };
}

/** `of`: whose changes are reported. `isAlike`: the network makes no difference, because the change is alarming from any. */
type Change = Readonly<{
  code: ConditionCode;
  of: "web" | "anyone";
  isAlike?: true;
  describe: (subject: string, id: number, by: string) => Pick<WebChange, "subject" | "detail">;
}>;

/**
 * Changes that are reported for a day, one by one, even a second one of the same thing. A thief in the owner's session can make a token or
 * a passkey, or settings that hide the next step, all of which outlive the session. Revoking or undoing them does not end the alert,
 * because the thief can do that too.
 */
const REPORTED: Partial<Record<EventType, Change>> = {
  TOKEN_CREATED: { code: "web_token", of: "web", describe: describedAs("") },
  FACTOR_ADDED: { code: "web_factor", of: "web", describe: describedAs("set up ") },
  FACTOR_REMOVED: { code: "web_factor", of: "web", describe: describedAs("removed ") },
  RECOVERY_CODES_MADE: {
    code: "web_factor",
    of: "web",
    describe: (_, id, by) => ({ subject: `new recovery codes (event ${id})`, detail: `by ${by}` }),
  },
  RECOVERY_CODE_USED: { code: "recovery_code_used", of: "web", describe: describedAs("") },
  PASSKEY_ADDED: { code: "web_passkey", of: "anyone", describe: describedAs("added ") },
  PASSKEY_REMOVED: { code: "web_passkey", of: "anyone", describe: describedAs("removed ") },
  PASSKEY_REFUSED: { code: "passkey_copied", of: "anyone", isAlike: true, describe: describedAs("copied ") },
  SETTINGS_APPLIED: {
    code: "web_settings",
    of: "web",
    describe: (subject, id, by) => ({ subject: String(id), detail: `${subject} (by ${by})` }),
  },
} satisfies Record<(typeof OWNERS_CHANGES)[number], Change>;

function describedAs(became: string): Change["describe"] {
  return (subject, id, by) => ({ subject: `${subject} ${became}(event ${id})`, detail: `by ${by}` });
}

/** A change of a token, a second factor, a passkey or the settings. */
function ownersChange({ id, type, subject, actor, at, isNewNetwork }: AlertEvent): Reported | null {
  const reported = REPORTED[type];
  if (reported === undefined || subject === null || actor === null) return null;
  const { code, of, isAlike = false, describe } = reported;
  if (of === "web" && !isWebAdmin(actor)) return null;
  const change = { at, ...describe(subject, id, actor), isNewNetwork: isNewNetwork && !isAlike };
  return { share: code, code, most: MOST_OF_KIND, change };
}
