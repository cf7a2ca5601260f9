import type { AllowItem, BanItem, WIDEST_OF_WEB } from "../../../src/admin/bans.ts";
import type { AddressAnswer } from "../../../src/admin/declare/items.ts";
import type { NOTE_CHARACTERS } from "../../../src/admin/declare/kinds.ts";
import { t } from "../../admin-texts.ts";
import { type RequestOf, request } from "../../api.ts";
import { notify } from "../../attempt.ts";
import { isPast, shortPrefix, withoutEmpty } from "../../format.ts";
import { serverTime } from "../../live.ts";
import { MOST_ROWS } from "../../live-list.ts";

/**
 * What the page asks the server to do. Each says what was done, and offers an undo if the earlier state can be restored.
 * They throw `RequestError`. None needs a proof (`BAN`, `ALLOW` in verb.ts), so they use `request` without `change` (session.ts).
 */

const words = t.bans;

export type BanRequest = Readonly<{ ip: string; reason: string; for: string }>;
type AllowRequest = Readonly<{ network: string; note: string; for: string }>;
export type AllowedItem = AllowItem & Readonly<{ from: "settings" | "command" }>;

/** The widest networks that the page may ban or allow. It may lift and remove wider ones. */
const WIDEST: typeof WIDEST_OF_WEB = { v4: 24, v6: 48 };
const MINUTE_MS = 60_000;
/** The server's limit. */
export const LONGEST_NOTE: typeof NOTE_CHARACTERS = 200;

/** Undoing a ban that replaced another one restores that one. There is no undo if the replaced ban cannot be read. */
export async function ban({ ip, ...details }: BanRequest): Promise<void> {
  // The ban in force may be newer than the preview.
  const reading = request("GET /why/{ip}", { params: { ip } });
  const former = await reading.then((of) => of.ban).catch(() => undefined);
  const item = (await request("POST /bans", { body: { ip, ...withoutEmpty(details) } })).ban;
  const undo = async (): Promise<void> => {
    if (former?.prefix === item.prefix && !isOver(former)) {
      await request("POST /bans", { body: banAgainRequest(former) });
      notify(words.bannedAsBefore(shortPrefix(item.prefix)));
    } else {
      notify(await requestUnban(item.prefix));
    }
  };
  notify(words.banned(shortPrefix(item.prefix)), { undo: former === undefined ? null : undo });
}

/** Lifts a ban. The undo bans again for the rest of the time, but the offence stays forgiven. */
export async function lift(item: BanItem, undone: () => void): Promise<void> {
  const message = await requestUnban(item.prefix);
  if (isTooWide(item.prefix)) return notify(`${message} ${words.tooWide}`);
  const undo = async (): Promise<void> => {
    await request("POST /bans", { body: banAgainRequest(item) }).finally(undone);
    notify(words.bannedAgain(shortPrefix(item.prefix)));
  };
  notify(message, { undo: isOver(item) ? null : undo });
}

/** Returns what to say, because a ban around the network, or bans within it, may still be in force. */
async function requestUnban(prefix: string): Promise<string> {
  const { around, within } = await request("DELETE /bans/{network}", { params: { network: prefix } });
  const name = shortPrefix(prefix);
  if (around !== undefined) return words.stillAround(name, around);
  return within === undefined ? words.lifted(name) : `${words.lifted(name)} ${words.stillWithin(within)}`;
}

/** There is no undo if bans were lifted, or if the network was allowed before. `changed` is also called after a refusal or an undo. */
export async function allow({ network, ...details }: AllowRequest, changed: () => void): Promise<void> {
  const before = await request("GET /allow", { query: { limit: MOST_ROWS } });
  const body = { network, ...withoutEmpty(details) };
  const { prefix, liftedTotal, keptEnd, keptNote } = await request("POST /allow", { body }).finally(changed);
  const isNew = before.next === null && before.items.every((item) => item.prefix !== prefix);
  const undo = async (): Promise<void> => {
    await request("DELETE /allow/{network}", { params: { network: prefix } }).finally(changed);
    notify(words.notAllowed(shortPrefix(prefix)));
  };
  const message = [
    words.isAllowed(shortPrefix(prefix), liftedTotal),
    keptEnd !== undefined && words.keptEnd,
    keptNote !== undefined && words.keptNote,
  ].filter((sentence) => sentence !== false);
  notify(message.join(" "), { undo: isNew && liftedTotal === 0 ? undo : null });
}

export async function disallow(item: AllowItem, changed: () => void): Promise<void> {
  await request("DELETE /allow/{network}", { params: { network: item.prefix } }).finally(changed);
  const message = words.notAllowed(shortPrefix(item.prefix));
  if (isTooWide(item.prefix)) return notify(`${message} ${words.tooWide}`);
  notify(message, { undo: isOver(item) ? null : () => allow(allowAgainRequest(item), changed) });
}

function banAgainRequest({ prefix, reason, expiresAt }: BanItem): RequestOf<"POST /bans">["body"] {
  return { ip: prefix, ...withoutEmpty({ reason: reason.slice(0, LONGEST_NOTE) }), for: timeLeft(expiresAt) };
}

function allowAgainRequest({ prefix, note, expiresAt }: AllowItem): AllowRequest {
  return { network: prefix, note: note.slice(0, LONGEST_NOTE), for: timeLeft(expiresAt) };
}

function isTooWide(prefix: string): boolean {
  return Number(prefix.split("/")[1]) < (prefix.includes(":") ? WIDEST.v6 : WIDEST.v4);
}

/** The shown end may be that of an entry that has been replaced since, which the page can't restore. */
function isOver({ expiresAt }: Pick<BanItem, "expiresAt">): boolean {
  return isPast(expiresAt, serverTime() + MINUTE_MS);
}

function timeLeft(expiresAt: string | null): string {
  if (expiresAt === null) return "permanent";
  return `${Math.max(1, Math.ceil((Date.parse(expiresAt) - serverTime()) / MINUTE_MS))}m`;
}

/**
 * What a ban of `ip`, an address or a network, would do, sentence by sentence. Calls a ban harmless only if that is certain. For a network,
 * the server names everyone who signs in from any part of it.
 */
export function effectsOf(ip: string, of: AddressAnswer): readonly string[] {
  const { protection, protectionUnknown, knownAccounts, totals, ban } = of;
  const isHarmless = protection === null && !protectionUnknown && knownAccounts.length === 0 && ban === null;
  const more = totals.knownAccounts - knownAccounts.length;
  const names = more > 0 ? words.andMore(knownAccounts.join(", "), more) : knownAccounts.join(", ");
  return [
    isHarmless && words.nothing,
    ban !== null && !isSpared(ip, protection) && alreadyOf(ip, ban.prefix),
    protection !== null && words.protected(protection),
    protectionUnknown && words.unknown,
    knownAccounts.length > 0 && words.accounts(names),
    ip.includes(":") && !ip.includes("/") && words.widened,
  ].filter((effect) => effect !== false);
}

/** A ban of a network around it stays. The server decides whether an IPv6 address is banned with its network. */
function alreadyOf(ip: string, banned: string): string {
  const isAround = (!ip.includes(":") || ip.includes("/")) && shortPrefix(banned) !== shortPrefix(ip);
  return isAround ? words.alreadyWith(banned) : words.already;
}

/** Whether no ban applies to it. A network may be on the allow list only in part. `allow.networks` lifts no bans. */
function isSpared(asked: string, protection: AddressAnswer["protection"]): boolean {
  return protection === "allow_listed" && !shortPrefix(asked).includes("/");
}

type Verdict = Readonly<{ text: string; buttonText: string; isBanned: boolean }>;

/**
 * Whether the address or network is banned, and the label of the button that lifts the ban. Names the ban of a network around it, because
 * lifting that frees every address in it.
 */
export function verdictOf(asked: string, { ban, protection }: Pick<AddressAnswer, "ban" | "protection">): Verdict {
  const { find } = t;
  const address = shortPrefix(asked.toLowerCase());
  if (ban === null)
    return { text: address.includes("/") ? find.networkNotBanned : find.notBanned, buttonText: "", isBanned: false };
  const [level, reason] = [words.levels[ban.level], ban.reason];
  const banned = shortPrefix(ban.prefix);
  const isItself = banned === address;
  const buttonText = isItself ? find.unbanIt : words.unbanOf(banned);
  if (isSpared(asked, protection)) return { text: find.spared(banned, level, reason), buttonText, isBanned: false };
  const text = isItself ? find.bannedAs(level, reason) : find.bannedWith(banned, level, reason);
  return { text, buttonText, isBanned: true };
}
