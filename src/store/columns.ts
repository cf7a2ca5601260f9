import { BAN_LEVELS, type BanLevel } from "../core/decide/decision.ts";
import type { SlidingWindow } from "../core/events/columns.ts";
import { isReason, type Reason } from "../core/events/reasons.ts";
import type { Ip, Prefix } from "../core/net/ip.ts";
import { instant, isoTime, type Millis } from "../core/time.ts";

/** A row, by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

/** Readers of columns. Each throws on a value that the schema rules out, because another program must have changed the file. */

export function text(value: unknown): string {
  return typeof value === "string" ? value : unexpected("text", value);
}

export function bytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : unexpected("bytes", value);
}

export function integer(value: unknown): number {
  return typeof value === "number" ? value : unexpected("an integer", value);
}

export function millis(value: unknown): Millis {
  return instant(integer(value));
}

export function iso(value: unknown): string {
  return isoTime(millis(value));
}

export function flag(value: unknown): boolean {
  return integer(value) === 1;
}

export const textOrNull = orNull(text);
export const integerOrNull = orNull(integer);
export const millisOrNull = orNull(millis);
export const isoOrNull = orNull(iso);

export function orNull<T>(read: (value: unknown) => T): (value: unknown) => T | null {
  return (value) => (value === null ? null : read(value));
}

/** Addresses and networks were parsed before they were written. Parsing them again would be expensive on the hot path. */
export function ip(value: unknown): Ip {
  return isWrittenIp(value) ? value : unexpected("an address", value);
}

export function prefix(value: unknown): Prefix {
  return isWrittenPrefix(value) ? value : unexpected("a network", value);
}

export function reason(value: unknown): Reason {
  const name = text(value);
  return isReason(name) ? name : unexpected("a reason", value);
}

export function oneOf<const T extends string>(known: readonly T[], value: unknown): T {
  return known.find((word) => word === value) ?? unexpected(`one of ${known.join(", ")}`, value);
}

export function level(value: unknown): BanLevel {
  return oneOf(BAN_LEVELS, value);
}

type Readers = Readonly<Record<string, (value: unknown) => unknown>>;

/** Returns a function that reads rows, with one reader per field. Field `madeAt` is read from column `made_at`. */
export function rowReader<R extends Readers>(readers: R) {
  const fields = Object.entries(readers).map(
    ([name, read]) => [name, name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), read] as const,
  );
  return (row: Row): { readonly [Name in keyof R]: ReturnType<R[Name]> } => {
    const found: Record<string, unknown> = {};
    for (const [name, column, read] of fields) found[name] = read(row[column]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one for each of the same names
    return found as { [Name in keyof R]: ReturnType<R[Name]> };
  };
}

/** The numbers of windows in `event.counts`. The indexes and queries use the same numbers. */
export const COUNTS_CODE: Readonly<Record<SlidingWindow, number>> = {
  connection: 1,
  mail: 2,
  account_mail: 3,
  login: 4,
  probe: 5,
  bounce: 6,
};

/** The numbers of roles in `event_names` and `event_name`. */
export const NAME_ROLE = { person: 1, queueId: 2, messageId: 3, type: 4 } as const;

function isWrittenIp(value: unknown): value is Ip {
  return typeof value === "string";
}

function isWrittenPrefix(value: unknown): value is Prefix {
  return typeof value === "string";
}

function unexpected(wanted: string, value: unknown): never {
  throw new Error(`The database holds ${JSON.stringify(value)} where ${wanted} belongs`);
}

export function sqlList(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}

export function sqlDomainOf(column: string): string {
  return `substr(${column}, instr(${column}, '@') + 1)`;
}

/** SQL that formats a column of milliseconds like `dayAndTime`. SQLite cannot format times after the year 9999. */
export function sqlDayAndTime(column: string): string {
  return `coalesce(strftime('%F %T UTC', ${column} / 1000, 'unixepoch'), 'an unknown time')`;
}

/** The verdict that an event would have had without `simulate`, or `ban`; null if it took effect. */
export const SIMULATED =
  "coalesce(json_extract(rest, '$.seen.simulated'), iif(json_extract(rest, '$.simulated'), 'ban', NULL))";

/**
 * Whether an event took effect as its type says: a simulated ban or refused sign-in is neither a ban nor a refusal. Simulated
 * decisions of other kinds are recorded with the type of a passed event.
 */
export const TOOK_EFFECT = `(type NOT IN ('BAN', 'LOGIN_REFUSED', 'LOGIN_DELAYED') OR ${SIMULATED} IS NULL)`;

/**
 * A limit as a parameter, for statements that decisions run. With a bare `LIMIT ?` SQLite 3.53 uses the value for its plan, so it
 * parses and plans the statement again at every run: 5 µs instead of 0.5.
 */
export const LIMIT = "LIMIT +?";
