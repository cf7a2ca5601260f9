import type { Outcome } from "../../guard/ports.ts";
import { LOGIN_USER, USERS } from "../../settings/layout.ts";
import type { Settings } from "../../settings/schema.ts";
import { userIds } from "../machine/system-users.ts";
import { type LocalPort, nftLocal } from "./guard-table.ts";
import { loadNft } from "./run-nft.ts";

type LocalPortSettings = Pick<Settings, "ports.login_policy" | "ports.sieve_mail" | "ports.http" | "http.address">;

/** Our ports on loopback, and the users whose programs may use and serve them. */
export function localPorts(
  settings: LocalPortSettings,
  uidOf = (user: string) => userIds(user).uid,
): readonly LocalPort[] {
  return [
    {
      port: settings["ports.login_policy"],
      clients: { set: "askers", users: [uidOf(LOGIN_USER)] },
      server: uidOf(USERS.guard),
      address: "127.0.0.1",
    },
    {
      port: settings["ports.sieve_mail"],
      clients: { set: "sieve_senders", users: [uidOf(USERS.mail)] },
      server: null,
      address: "127.0.0.1",
    },
    { port: settings["ports.http"], clients: null, server: uidOf(USERS.web), address: settings["http.address"] },
  ];
}

/**
 * Runs before the first service starts. If only the guard's start protected the ports, Dovecot would trust a program that keeps
 * the guard from starting.
 */
export function protectLocalPorts(local: readonly LocalPort[], path?: string): Promise<Outcome> {
  return loadNft(nftLocal(local), path);
}
