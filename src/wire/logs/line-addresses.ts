import { type Ip, parseIp } from "../../core/net/ip.ts";

/** Longer than any address with a port. A longer run of these letters is read in pieces. */
const LONGEST_TOKEN = 64;
const [DOT, COLON, SIX] = [0x2e, 0x3a, 0x36];

/** 1 for each ASCII letter that an address may contain. */
const OF_AN_ADDRESS = Uint8Array.from({ length: 128 }, (_, code) =>
  /[0-9A-Fa-f:.]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * The addresses in a text, in every notation: `[198.51.100.7]:25`, `rip=2001:DB8:0::7,`,
 * `[IPv6:2001:db8::7]`. An address may come twice.
 */
export function* addressesIn(text: string): Generator<Ip> {
  let seen: Set<string> | null = null;
  for (let start = 0; start < text.length; start += 1) {
    if (OF_AN_ADDRESS[text.charCodeAt(start)] !== 1) continue;
    const end = endOfToken(text, start);
    if (end < 0) {
      start = -end - 1;
      continue;
    }
    const token = text.slice(isAfterIpv(text, start) ? start - 3 : start, end);
    start = end - 1;
    seen ??= new Set();
    if (seen.has(token)) continue;
    seen.add(token);
    yield* addressesOf(token);
  }
}

/** Where the token ends; negative if it cannot be an address: most such words are numbers and times of day. */
function endOfToken(text: string, start: number): number {
  let [dots, colons, isShortened, previous] = [0, 0, false, 0];
  const most = Math.min(text.length, start + LONGEST_TOKEN);
  let end = start;
  for (; end < most; end += 1) {
    const code = text.charCodeAt(end);
    if (OF_AN_ADDRESS[code] !== 1) break;
    if (code === DOT) dots += 1;
    if (code === COLON) {
      colons += 1;
      isShortened ||= previous === COLON;
    }
    previous = code;
  }
  return dots >= 3 || colons >= 7 || isShortened ? end : -end;
}

/** RFC 5321, 4.1.3: an IPv6 address in a mail is written `[IPv6:2001:db8::7]`, and its `6:` looks like a group. */
function isAfterIpv(text: string, start: number): boolean {
  return (
    text.charCodeAt(start) === SIX &&
    text.charCodeAt(start + 1) === COLON &&
    start >= 3 &&
    text.slice(start - 3, start).toLowerCase() === "ipv"
  );
}

/** Punctuation of the sentence or a port may follow it. `2001:db8::7:25.` can be read in two ways. */
function addressesOf(token: string): readonly Ip[] {
  const tagged = /^ipv6:/i.test(token) ? parseIp(token.slice(5).replace(/[.:]+$/, "")) : null;
  if (tagged !== null) return [tagged];
  const whole = token.replace(/^ipv/i, "");
  const exact = parseIp(whole);
  if (exact !== null) return [exact];
  const trimmed = whole.replace(/[.:]+$/, "");
  return [parseIp(trimmed), parseIp(trimmed.replace(/:\d{1,5}$/, ""))].filter((ip) => ip !== null);
}
