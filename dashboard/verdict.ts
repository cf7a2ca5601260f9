import type { BanItem } from "../src/wire/verbs/bans.ts";
import type { OwnTexts } from "./admin-texts.ts";
import { shortPrefix } from "./format.ts";

/** Whether what was asked for is banned, and what the button is called that lifts it. */
export type Verdict = Readonly<{ says: string; unban: string }>;

/** A ban of a network around it is named: to lift that frees every address in it. */
export function verdictOf(
  asked: string,
  ban: BanItem | null,
  { find, bans }: Pick<OwnTexts, "find" | "bans">,
): Verdict {
  if (ban === null)
    return { says: shortPrefix(asked).includes("/") ? find.networkNotBanned : find.notBanned, unban: "" };
  const [level, reason] = [bans.levels[ban.level], ban.reason || bans.noReason];
  const banned = shortPrefix(ban.prefix);
  if (banned === shortPrefix(asked.toLowerCase())) return { says: find.bannedAs(level, reason), unban: find.unbanIt };
  return { says: find.bannedWith(banned, level, reason), unban: bans.unbanOf(banned) };
}
