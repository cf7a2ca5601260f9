import type { Outcome } from "../../guard/ports.ts";
import { LOGIN_USER, USERS } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { userIds } from "../machine/system-users.ts";
import { type LocalPort, nftLocal } from "./guard-table.ts";
import { loadNft } from "./run-nft.ts";

type LocalPortSettings = Pick<Settings, "ports.login_policy" | "ports.sieve_mail">;

/** Our ports on loopback, and whose programs may use them. */
export function localPorts(
  settings: LocalPortSettings,
  uidOf = (user: string) => userIds(user).uid,
): readonly LocalPort[] {
  return [
    {
      set: "askers",
      port: settings["ports.login_policy"],
      users: [uidOf(LOGIN_USER)],
      server: uidOf(USERS.guard),
    },
    {
      set: "sieve_senders",
      port: settings["ports.sieve_mail"],
      users: [uidOf(USERS.mail)],
      server: null,
    },
  ];
}

/**
 * Runs before the first service starts. If only the guard's start protected the ports, Dovecot would trust a program that keeps
 * the guard from starting.
 */
export function protectLocalPorts(local: readonly LocalPort[], path?: string): Promise<Outcome> {
  return loadNft(nftLocal(local), path);
}
