import { type Address, localPart, parseAddress, withoutExtension } from "../../../core/net/address.ts";
import type { CommandError } from "../../../wire/control/control.ts";
import type { AliasStore } from "../../admin-ports.ts";

export type AlertMailboxParts = Readonly<{
  accounts: Pick<AliasStore, "leadsTo">;
  /** The addresses to which alerts are mailed. */
  alertsTo: () => readonly string[];
}>;

/** Alerts go to postmaster@ while the settings name no channel: diverting it would hide further alerts. */
export function isPostmaster(address: Address): boolean {
  return localPart(address).toLowerCase() === "postmaster";
}

/** Whether alerts arrive here, directly or through aliases: an attacker who takes over the web must not hide them from the owner. */
export function getsAlerts({ accounts, alertsTo }: AlertMailboxParts, address: Address): boolean {
  return alertsTo()
    .flatMap((to) => [to, withoutExtension(to)])
    .some((to) => {
      const from = parseAddress(to);
      return from !== null && accounts.leadsTo(from, address);
    });
}

export function alertsStay(address: Address): CommandError {
  const message = `${address} gets the alerts of this server: it can be changed only on the server.`;
  return { ok: false, kind: "failed", message, next: "Use the command line there." };
}
