import { domainToASCII } from "node:url";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * A fully qualified host name in lower case and ASCII (RFC 1035 section 2.3.1, RFC 5890): at least two labels,
 * at most 253 characters. Null for anything else, addresses included.
 */
export function parseHostName(text: string): string | null {
  if (text.length > 253) return null;
  const name = (isAscii(text) ? text : domainToASCII(text)).toLowerCase();
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (name.length > 253 || labels.length < 2 || /^\d+$/.test(last)) return null;
  return labels.every((label) => LABEL.test(label)) ? name : null;
}

function isAscii(text: string): boolean {
  for (const character of text) if (character > "\x7f") return false;
  return true;
}
