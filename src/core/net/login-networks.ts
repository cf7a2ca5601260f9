import { contains, type Ip, overlaps, type Prefix, prefixLength } from "./ip.ts";

/**
 * Whether a sign-in from this address breaks the server's or the account's restriction. An empty list means anywhere.
 */
export function isOutside(ip: Ip, server: readonly Prefix[], account: readonly Prefix[]): boolean {
  return [server, account].some((networks) => networks.length > 0 && !networks.some((each) => contains(each, ip)));
}

/** The networks that are in both lists; null if neither restricts anything. Empty: no address is allowed. */
export function inBoth(server: readonly Prefix[], account: readonly Prefix[]): readonly Prefix[] | null {
  if (server.length === 0) return account.length === 0 ? null : account;
  if (account.length === 0) return server;
  const common = server.flatMap((one) =>
    account
      .filter((other) => overlaps(one, other))
      .map((other) => (prefixLength(one) > prefixLength(other) ? one : other)),
  );
  return [...new Set(common)];
}
