import type { AddressAnswer } from "../src/wire/control/items.ts";
import type { OwnTexts } from "./admin-texts.ts";
import { shortPrefix } from "./format.ts";

/**
 * What a ban of `ip`, an address or a network, would do, sentence by sentence. It calls nothing harmless that is not known to be;
 * of a network the server names who signs in from any part of it.
 */
export function effectsOf(ip: string, of: AddressAnswer, words: OwnTexts["bans"]): readonly string[] {
  const { protection, protectionUnknown, knownAccounts, totals, ban } = of;
  const isNetwork = shortPrefix(ip).includes("/");
  const isHarmless = protection === null && !protectionUnknown && knownAccounts.length === 0 && ban === null;
  const more = totals.knownAccounts - knownAccounts.length;
  const names = more > 0 ? words.andMore(knownAccounts.join(", "), more) : knownAccounts.join(", ");
  return [
    isHarmless && words.nothing,
    ban !== null && alreadyOf(ip, ban.prefix, words),
    protection !== null && words.protected(protection),
    protectionUnknown && words.unknown,
    knownAccounts.length > 0 && words.accounts(names),
    ip.includes(":") && !isNetwork && words.widened,
  ].filter((effect) => effect !== false);
}

/** A ban of a network around it stays; whether an IPv6 address is banned with its network, the server decides. */
function alreadyOf(ip: string, banned: string, words: OwnTexts["bans"]): string {
  const isAround = !ip.includes(":") && shortPrefix(banned) !== shortPrefix(ip);
  return isAround ? words.alreadyWith(banned) : words.already;
}
