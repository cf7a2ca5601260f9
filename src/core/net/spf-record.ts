import { isDomain } from "./address.ts";
import { type Prefix, parsePrefix } from "./ip.ts";

/** The networks that a record names, and names whose records or addresses also count. */
export type SpfTerm =
  | Readonly<{ type: "network"; prefix: Prefix }>
  | Readonly<{ type: "include" | "redirect"; domain: string }>
  /** `domain` null: the domain of this record. The lengths apply to networks around the addresses. */
  | Readonly<{ type: "a" | "mx"; domain: string | null; v4Length: number; v6Length: number }>;

/** A record has at most about 450 octets (RFC 7208, 3.4). Even a long one does not hold more terms than this. */
const MOST_TERMS = 500;

/**
 * What an SPF record (RFC 7208) allows to send: its mechanisms that pass. Null if it is not an SPF record. Terms that
 * give no networks are skipped: `all`, `exists`, `ptr`, names with macros, and misspelt ones.
 */
export function parseSpfRecord(text: string): readonly SpfTerm[] | null {
  const [version = "", ...words] = text.split(" ");
  if (version.toLowerCase() !== "v=spf1") return null;
  return words.slice(0, MOST_TERMS).flatMap((word) => parseTerm(word) ?? []);
}

function parseTerm(word: string): SpfTerm | null {
  const redirect = /^redirect=(.+)$/i.exec(word)?.[1];
  if (redirect !== undefined) return named("redirect", redirect);
  const [, name = "", value = ""] = /^\+?(ip4|ip6|include|a|mx)((?:[:/].*)?)$/i.exec(word) ?? [];
  const type = name.toLowerCase();
  switch (type) {
    case "ip4":
    case "ip6":
      return network(value.slice(1), type === "ip4");
    case "include":
      return named("include", value.slice(1));
    case "a":
    case "mx":
      return hosts(type, value);
    default:
      return null;
  }
}

function network(text: string, v4: boolean): SpfTerm | null {
  const prefix = text.includes(":") === v4 ? null : parsePrefix(text);
  return prefix === null ? null : { type: "network", prefix };
}

function named(type: "include" | "redirect", text: string): SpfTerm | null {
  const domain = domainIn(text);
  return domain === null ? null : { type, domain };
}

/** `a:mail.example.org/24//64` */
function hosts(type: "a" | "mx", value: string): SpfTerm | null {
  const parts = /^(?::([^/]+))?(?:\/(\d{1,2}))?(?:\/\/(\d{1,3}))?$/.exec(value);
  if (parts === null) return null;
  const [, name, v4 = "32", v6 = "128"] = parts;
  const domain = name === undefined ? null : domainIn(name);
  if (name !== undefined && domain === null) return null;
  const [v4Length, v6Length] = [Number(v4), Number(v6)];
  return v4Length <= 32 && v6Length <= 128 ? { type, domain, v4Length, v6Length } : null;
}

/** Service names start with an underscore (RFC 8552). */
function domainIn(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, "");
  return isDomain(name.replaceAll(/(^|\.)_/g, "$1")) && name.includes(".") ? name : null;
}
