import { isTimeZone, parseQuietHours, type QuietHours } from "../core/alerts/schedule.ts";
import { parseSenderPattern } from "../core/events/sender-pattern.ts";
import { parseAddress } from "../core/net/address.ts";
import { type Ip, isTooWide, type Prefix, parseIp, parsePrefix } from "../core/net/ip.ts";
import { printable } from "../core/text.ts";
import { DAY_MS, formatDuration, parseDuration } from "../core/time.ts";
import { parseHostName } from "./host-name.ts";
import { formatSize, parseSize } from "./size.ts";

/** A value with its canonical text in TOML; or what it must be, and the part that is not. */
export type Read<T> =
  | Readonly<{ ok: true; value: T; toml: string }>
  | Readonly<{ ok: false; must: string; got: unknown }>;

/** What a setting accepts, and how it is read. */
export type Kind<T> = Readonly<{
  /** Completes "must be …". */
  accepts: string;
  /** Reads a value as TOML gives it. */
  read: (written: unknown) => Read<T>;
  /** Turns the text of an environment variable into the value that TOML would have given. */
  fromText: (text: string) => unknown;
}>;

export function wholeNumber(least: number, most: number): Kind<number> {
  const accepts = `a whole number from ${least} to ${most}`;
  return {
    accepts,
    read: (written) =>
      typeof written === "number" && Number.isSafeInteger(written) && written >= least && written <= most
        ? { ok: true, value: written, toml: String(written) }
        : wrong(accepts, written),
    fromText: (text) => (/^-?\d{1,15}$/.test(text) ? Number(text) : text),
  };
}

/** A score such as 5.0. */
export function decimal(least: number, most: number): Kind<number> {
  const accepts = `a number from ${least} to ${most}`;
  return {
    accepts,
    read: (written) =>
      typeof written === "number" && Number.isFinite(written) && written >= least && written <= most
        ? { ok: true, value: written, toml: Number.isInteger(written) ? written.toFixed(1) : String(written) }
        : wrong(accepts, written),
    fromText: (written) => (/^-?\d{1,9}(\.\d{1,6})?$/.test(written) ? Number(written) : written),
  };
}

export const port: Kind<number> = wholeNumber(1, 65_535);

export const flag: Kind<boolean> = {
  accepts: "true or false",
  read: (written) =>
    typeof written === "boolean"
      ? { ok: true, value: written, toml: String(written) }
      : wrong("true or false", written),
  fromText: (text) => (text === "true" ? true : text === "false" ? false : text),
};

/** One of these words. */
export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  const accepts = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return {
    accepts,
    read: (written) => {
      const value = words.find((word) => word === written);
      return value === undefined ? wrong(accepts, written) : { ok: true, value, toml: quote(value) };
    },
    fromText: (written) => written.trim(),
  };
}

/** Milliseconds, written as `30m`. */
export function duration(leastMs: number, mostMs: number = 365 * DAY_MS): Kind<number> {
  const accepts = `a duration such as "30m" from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  return text(accepts, (written) => {
    const value = parseDuration(written);
    return value !== null && value >= leastMs && value <= mostMs ? { value, toml: quote(formatDuration(value)) } : null;
  });
}

/** Bytes, written as `10MB`. */
export function size(leastBytes: number, mostBytes: number): Kind<number> {
  const accepts = `a size such as "10MB" from ${formatSize(leastBytes)} to ${formatSize(mostBytes)}`;
  return text(accepts, (written) => {
    const value = parseSize(written);
    return value !== null && value >= leastBytes && value <= mostBytes
      ? { value, toml: quote(formatSize(value)) }
      : null;
  });
}

export const hostName: Kind<string> = text("a full host name such as mail.example.org", (written) =>
  same(parseHostName(written)),
);

/** A sender pattern of SpamAssassin: `*` stands for anything, `?` for one character. */
export const senderPattern: Kind<string> = text("an address or a pattern such as *@example.org", (written) =>
  same(parseSenderPattern(written)),
);

/** The name of a key in the DNS (RFC 6376 section 3.1). */
export const selector: Kind<string> = text("a name of small letters, digits and dashes", (written) =>
  same(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(written) ? written : null),
);

export const domain: Kind<string> = text("a domain such as example.org", (written) => same(parseHostName(written)));

export const address: Kind<Ip> = text("an IP address", (written) => same(parseIp(written)));

export const loopback: Kind<Ip> = text("an address of 127.0.0.0/8", (written) => {
  const value = parseIp(written);
  return value?.startsWith("127.") === true ? same(value) : null;
});

/** A DNS zone with the one server that answers for it. */
export type StubZone = Readonly<{ zone: string; address: Ip }>;

export const stubZone: Kind<StubZone> = text("a zone with its server such as corp.example=10.0.0.53", (written) => {
  const [zone, server, ...more] = written.split("=").map((part) => part.trim());
  const name = parseHostName(zone ?? "");
  const ip = parseIp(server ?? "");
  if (name === null || ip === null || more.length > 0) return null;
  return { value: { zone: name, address: ip }, toml: quote(`${name}=${ip}`) };
});

/** A network that is not the whole internet. */
export const network: Kind<Prefix> = text("an IP address or a network such as 203.0.113.0/24", (written) => {
  const value = parsePrefix(written);
  return value === null || isTooWide(value) ? null : { value, toml: quote(value) };
});

export const mailAddress: Kind<string> = text("a mail address such as alice@example.org", (written) =>
  same(parseAddress(written)),
);

/** Goes into the configuration of Postfix and Dovecot, in which blanks, `$`, `#` and quotes have a meaning. */
export const path: Kind<string> = text("an absolute path of letters, digits and ._@+-/", (written) =>
  same(/^\/[A-Za-z0-9._@+/-]{1,1000}$/.test(written) ? written : null),
);

/** The next hop of transport(5), always with a port; the brackets prevent an MX look-up. */
export const nextHop: Kind<string> = text('a server such as "[smtp.example.net]:587"', (written) => {
  const [, host = "", digits = ""] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(written) ?? [];
  const name = parseHostName(host) ?? parseIp(host);
  const number = Number(digits);
  return name === null || number < 1 || number > 65_535 ? null : same(`[${name}]:${number}`);
});

/** A login name: goes into a table of Postfix, in which blanks and colons have a meaning. */
export const loginName: Kind<string> = text("a login name without blanks and colons", (written) =>
  same(/^[\x21-\x39\x3b-\x7e]{1,256}$/.test(written) && !/["\\]/.test(written) ? written : null),
);

/** For people: one printable line. */
export const oneLine: Kind<string> = text("one line of text, of at most 200 characters", (written) =>
  same(written !== "" && printable(written, 200) === written ? written : null),
);

/** A URL; it may contain a secret. */
export const url: Kind<string> = text("an address such as https://example.org/path", (written) =>
  same(
    /^https?:\/\/[\x21-\x7e]{1,2000}$/.test(written) && !/["\\]/.test(written) && URL.canParse(written)
      ? written
      : null,
  ),
);

/** Null: none. */
export const quietHours: Kind<QuietHours | null> = text('hours such as "22:00-07:00", or ""', (written) => {
  const value = parseQuietHours(written);
  return value === null && written !== "" ? null : { value, toml: quote(written) };
});

export const timeZone: Kind<string> = text("a time zone such as Europe/Berlin", (written) =>
  same(/^[A-Za-z0-9_+/-]{1,64}$/.test(written) && isTimeZone(written) ? written : null),
);

/** Lets a setting be empty, with the meaning that its sentence gives. */
export const localPart: Kind<string> = text("the part of an address before the @, but not postmaster", (written) => {
  const lower = written.toLowerCase();
  return same(/^[a-z0-9](?:[a-z0-9._+-]{0,62}[a-z0-9])?$/.test(lower) && lower !== "postmaster" ? lower : null);
});
export function orEmpty(kind: Kind<string>): Kind<string> {
  return {
    ...kind,
    accepts: `${kind.accepts}, or ""`,
    read: (written) => (written === "" ? { ok: true, value: "", toml: '""' } : kind.read(written)),
  };
}

/** Each item once, in the order written. In an environment variable, commas separate them. */
const EMPTY_LIST = "[]";

export function listOf<T>(item: Kind<T>, most: number): Kind<readonly T[]> {
  const accepts = `a list, each item ${item.accepts}`;
  return {
    accepts,
    read: (written) => {
      if (!Array.isArray(written)) return wrong(accepts, written);
      if (written.length > most) return { ok: false, must: `must have at most ${most} items`, got: written.length };
      const items = new Map<string, T>();
      for (const one of written) {
        const read = item.read(one);
        if (!read.ok) return { ok: false, must: `has an item that ${read.must}`, got: read.got };
        items.set(read.toml, read.value);
      }
      return { ok: true, value: [...items.values()], toml: `[${[...items.keys()].join(", ")}]` };
    },
    // An empty variable counts as unset, so an empty list has its own sign.
    fromText: (written) =>
      (written.trim() === EMPTY_LIST ? "" : written)
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== "")
        .map(item.fromText),
  };
}

/** Durations, each longer than the one before; at least one. */
export function ascending(item: Kind<number>, most: number): Kind<readonly number[]> {
  const list = listOf(item, most);
  const accepts = `${list.accepts}, each longer than the one before`;
  return {
    accepts,
    fromText: list.fromText,
    read: (written) => {
      const read = list.read(written);
      if (!read.ok) return read;
      const { value } = read;
      const ascends = value.every((one, i) => i === 0 || one > (value[i - 1] ?? 0));
      // The list removes duplicates, so a shorter one was not ascending.
      const whole = Array.isArray(written) && written.length === value.length;
      return value.length > 0 && ascends && whole ? read : wrong(accepts, written);
    },
  };
}

function text<T>(accepts: string, read: (written: string) => { value: T; toml: string } | null): Kind<T> {
  return {
    accepts,
    read: (written) => {
      const found = typeof written === "string" ? read(written.trim()) : null;
      return found === null ? wrong(accepts, written) : { ok: true, ...found };
    },
    fromText: (written) => written.trim(),
  };
}

function wrong(accepts: string, got: unknown): Readonly<{ ok: false; must: string; got: unknown }> {
  return { ok: false, must: `must be ${accepts}`, got };
}

function same<T extends string>(value: T | null): { value: T; toml: string } | null {
  return value === null ? null : { value, toml: quote(value) };
}

/** None of the texts above contains a character that JSON and TOML write differently. */
function quote(value: string): string {
  return JSON.stringify(value);
}
