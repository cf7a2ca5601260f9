import { parseIp } from "../net/ip.ts";

const LOCAL = "localhost";

/** Whether a name is one of these or below one. */
export function isNameOf(name: string, names: readonly string[]): boolean {
  return names.some((own) => name === own || name.endsWith(`.${own}`));
}

/**
 * The name for which a passkey of a page with this origin is (its RP ID): that of the page itself, so that a page below
 * or beside it gets none of its signatures. Null: the page is none of ours. Browsers know passkeys over https, and for
 * localhost, where an SSH tunnel ends; never for an IP address.
 */
export function passkeyName(origin: string, names: readonly string[]): string | null {
  if (!URL.canParse(origin)) return null;
  const { origin: plain, protocol, hostname } = new URL(origin);
  if (plain !== origin) return null;
  if (hostname === LOCAL) return protocol === "http:" || protocol === "https:" ? hostname : null;
  const isName = parseIp(hostname.replace(/^\[(.*)\]$/, "$1")) === null;
  return protocol === "https:" && isName && isNameOf(hostname, names) ? hostname : null;
}
