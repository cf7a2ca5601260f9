import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import { duration, wholeNumber } from "../kinds/kind.ts";
import { byDefault, count, type Setting } from "../setting.ts";

/** Limits for wrong passwords: of an address, at an account, from a network, on the whole server. */
export const guessing = {
  "limits.logins.failures": byDefault(5, wholeNumber(1, 1_000)).says(
    "Different wrong passwords from one address that cause a ban.",
  ),
  "limits.logins.window": byDefault("10m", duration(SECOND_MS, 7 * DAY_MS)).says("How long a wrong password counts."),
  "limits.logins.per_day": byDefault(10, count).says(
    "Different wrong passwords from one address within 24 hours that cause a ban of at least a day. Never less than `limits.logins.failures`.",
  ),
  "limits.logins.per_week": byDefault(20, count).says(
    "The same within 7 days. Never less than `limits.logins.per_day`.",
  ),
  "limits.logins.known_per_day": byDefault(40, count).says(
    "Different wrong passwords for one account within 24 hours from an address that the account knows. After that, only a password that looks right is checked there.",
  ),
  "limits.accounts.failures": byDefault(20, wholeNumber(1, 1_000)).says(
    "Different wrong passwords for one account that make it a guarded account, at most a quarter of them from one network. In new places, only a password that looks right is then checked.",
  ),
  "limits.accounts.window": byDefault("1h", duration(SECOND_MS, 7 * DAY_MS)).says(
    "How long a wrong password counts against the account.",
  ),
  "limits.accounts.known_for": byDefault("90d", duration(SECOND_MS, 180 * DAY_MS)).says(
    "How long an account knows a network from which it signed in.",
  ),
  "limits.accounts.candidates": byDefault(1_000, wholeNumber(1, 4_000)).says(
    "Different passwords for one account within 24 hours, checked or not, after which even one that looks right is refused where new places are refused. Each network (IPv4 /24, IPv6 /48) may use 1/25 of them; what networks use beyond their share is limited to 1/4 in total.",
  ),
  "limits.networks.failures": byDefault(30, count).says(
    "Wrong passwords from one network (IPv4 /24, IPv6 /48) that ban the whole network. Honest mail from it raises the number; it is not banned if an account signed in from it recently (docs/bans.md).",
  ),
  "limits.networks.window": byDefault("1h", duration(SECOND_MS, 7 * DAY_MS)).says(
    "How long a wrong password counts against the network.",
  ),
  "limits.networks.per_day": byDefault(40, count).says(
    "Different wrong passwords from one network (IPv4 /24, IPv6 /48) within 24 hours, after which accounts that do not know the network check only a password that looks right, even if the network cannot be banned.",
  ),
  "limits.spraying.guesses": byDefault(12, count).says(
    "Different wrong passwords within `limits.spraying.window`, at all accounts together and from at least 8 networks, after which only a password that looks right is checked in new places.",
  ),
  "limits.spraying.window": byDefault("1h", duration(SECOND_MS, 7 * DAY_MS)).says(
    "How long a wrong password counts towards `limits.spraying.guesses`.",
  ),
} as const satisfies Record<string, Setting<unknown>>;

/** What an account may send before its mail waits or is held. */
export const sending = {
  "limits.sending.recipients_per_minute": byDefault(50, count).says(
    "New recipients in other domains, to which an account has never written, within any 60 seconds.",
  ),
  "limits.sending.recipients_per_hour": byDefault(150, count).says("Recipients of one account's mail within any hour."),
  "limits.sending.recipients_per_day": byDefault(500, count).says(
    "Recipients of one account's mail within any 24 hours.",
  ),
  "limits.sending.strangers": byDefault(100, count).says(
    "New recipients in other domains, to which an account has never written, within any hour; past that, all its mail is held in the queue until you decide. From a place where the account first signed in less than a day ago, a fifth of this number applies.",
  ),
  "limits.sending.strangers_per_day": byDefault(150, count).says(
    "The same within any 24 hours, so that a few strangers every hour add up.",
  ),
  "limits.sending.refused": byDefault(10, count).says(
    "Such recipients whose servers permanently refuse the mail, within any hour, before all mail of the account is held: lists of addresses that thieves use are old. They must be at least a quarter of those to whom the account wrote within the hour. At most two per recipient domain count.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
