import { isNameOf } from "../../core/access/passkey-names.ts";
import { parseIp } from "../../core/net/ip.ts";

/**
 * Whether a `Host` header (RFC 9110, 7.2) can mean this server. A page of evil.example can make its name resolve to our
 * address; its browser then takes our answers for those of that page (DNS rebinding), and only the `Host` header shows it. An
 * address is not a name, and a name without a dot does not exist in the public DNS (RFC 7085).
 * @param names Ours; names below them are ours too.
 */
export function isOwnName(host: string | null, names: readonly string[]): boolean {
  if (host === null || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/\.$/, "");
  if (parseIp(name.replace(/^\[(.*)\]$/, "$1")) !== null || (name !== "" && !name.includes("."))) return true;
  return isNameOf(name, names);
}
