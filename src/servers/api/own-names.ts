import { parseIp } from "../../core/net/ip.ts";

/**
 * Whether a `Host` header (RFC 9110, 7.2) can be meant for this server. A page of evil.example may have its name
 * resolve to our address: its browser then takes our answers for those of that page (DNS rebinding), and only the name
 * tells. An address is no name, and a name without a dot is nobody's in the public DNS (RFC 7085).
 *
 * @param names Ours; what lies below them is ours too.
 */
export function isOwnName(host: string | null, names: readonly string[]): boolean {
  if (host === null || !URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname.replace(/\.$/, "");
  if (parseIp(name.replace(/^\[(.*)\]$/, "$1")) !== null || (name !== "" && !name.includes("."))) return true;
  return names.some((own) => name === own || name.endsWith(`.${own}`));
}
