import { domainOf } from "../../core/net/address.ts";
import type { Settings } from "../../settings/schema.ts";

/**
 * Recipients of alerts through our own queue. Without any channel in the settings, the administrator, so that
 * someone is notified.
 */
export function alertMailTo(settings: Settings): readonly string[] {
  const set = settings["alerts.email"];
  return set.length > 0 || hasOtherChannel(settings) ? set : [postmaster(settings)];
}

/** Whether all of these mailboxes are on this server, as far as the addresses tell. */
export function areMailboxesHere(settings: Settings): boolean {
  const isHere = (address: string): boolean => settings.domains.includes(domainOf(address).toLowerCase());
  const administrator = settings["accounts.administrator"];
  return alertMailTo(settings).every(
    (address) => isHere(address) && (address !== postmaster(settings) || administrator === "" || isHere(administrator)),
  );
}

/** Reaches `accounts.administrator`, or the first account. */
export function postmaster({ domains, hostname }: Pick<Settings, "domains" | "hostname">): string {
  return `postmaster@${domains[0] ?? hostname}`;
}

function hasOtherChannel(settings: Settings): boolean {
  const lists = ["alerts.relay_to", "alerts.webhook", "alerts.ntfy", "alerts.apprise"] as const;
  return lists.some((key) => settings[key].length > 0) || settings["alerts.gotify"] !== "";
}
