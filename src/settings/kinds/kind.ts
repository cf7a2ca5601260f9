import { DAY_MS, formatDuration, parseDuration } from "../../core/time.ts";

/** A value with its canonical text in TOML; or the requirement, and the part that violates it. */
export type Read<T> =
  | Readonly<{ ok: true; value: T; toml: string }>
  | Readonly<{ ok: false; must: string; got: unknown }>;

/** How a page lets a setting be edited. `least` and `most` as in the file; null: no such bound. */
export type Form = Readonly<{
  type: "switch" | "number" | "decimal" | "duration" | "size" | "choice" | "text" | "list";
  least: string | null;
  most: string | null;
  choices: readonly string[];
  /** For a list: the type of its items. */
  of: Form["type"] | null;
}>;

/** What a setting accepts, and how it is read. */
export type Kind<T> = Readonly<{
  /** Completes "must be …". */
  accepts: string;
  form: Form;
  read: (written: unknown) => Read<T>;
  /** Turns the text of an environment variable into the value that TOML would have given. */
  fromText: (text: string) => unknown;
}>;

function formOf(type: Form["type"], more: Partial<Form> = {}): Form {
  return { type, least: null, most: null, choices: [], of: null, ...more };
}

/** A kind that is written as a string, read without the blanks around it. */
export function text<T>(
  accepts: string,
  read: (written: string) => { value: T; toml: string } | null,
  form: Form = formOf("text"),
): Kind<T> {
  return {
    accepts,
    form,
    read: (written) => {
      const found = typeof written === "string" ? read(written.trim()) : null;
      return found === null ? wrong(accepts, written) : { ok: true, ...found };
    },
    fromText: (written) => written.trim(),
  };
}

export function wrong(accepts: string, got: unknown): Readonly<{ ok: false; must: string; got: unknown }> {
  return { ok: false, must: `must be ${accepts}`, got };
}

/** No text that a kind accepts contains a character that JSON and TOML write differently. */
export function quote(value: string): string {
  return JSON.stringify(value);
}

const UNITS: readonly (readonly [string, number])[] = [
  ["GB", 1024 ** 3],
  ["MB", 1024 ** 2],
  ["KB", 1024],
  ["B", 1],
];

/** Reads `10MB`, `512KB`, `2GB` as bytes, where a kilobyte is 1,024; null for anything else. */
export function parseSize(text: string): number | null {
  const match = /^(\d{1,15})(B|KB|MB|GB)$/.exec(text.trim().toUpperCase());
  if (match === null) return null;
  const unit = UNITS.find(([name]) => name === match[2]);
  const sizeBytes = unit === undefined ? Number.NaN : Number(match[1]) * unit[1];
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : null;
}

/** The shortest exact form: 10485760 is `10MB`. */
export function formatSize(sizeBytes: number): string {
  const unit = UNITS.find(([, unitBytes]) => sizeBytes >= unitBytes && sizeBytes % unitBytes === 0);
  return unit === undefined ? `${sizeBytes}B` : `${sizeBytes / unit[1]}${unit[0]}`;
}

/** Compares quotas in bytes; 0 means no limit. */
export function isSmallerQuota(one: number, other: number): boolean {
  return one !== 0 && (other === 0 || one < other);
}

export function wholeNumber(least: number, most: number): Kind<number> {
  const accepts = `a whole number from ${least} to ${most}`;
  return {
    accepts,
    form: formOf("number", { least: String(least), most: String(most) }),
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
    form: formOf("decimal", { least: String(least), most: String(most) }),
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
  form: formOf("switch"),
  read: (written) =>
    typeof written === "boolean"
      ? { ok: true, value: written, toml: String(written) }
      : wrong("true or false", written),
  fromText: (text) => (text === "true" ? true : text === "false" ? false : text),
};

export function oneOf<const T extends string>(...words: readonly T[]): Kind<T> {
  const accepts = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return {
    accepts,
    form: formOf("choice", { choices: words }),
    read: (written) => {
      const value = words.find((word) => word === written);
      return value === undefined ? wrong(accepts, written) : { ok: true, value, toml: quote(value) };
    },
    fromText: (written) => written.trim(),
  };
}

/** Milliseconds, written as `30m`. */
export function duration(leastMs: number, mostMs: number = 365 * DAY_MS): Kind<number> {
  return quantity("duration", "30m", { parse: parseDuration, format: formatDuration }, [leastMs, mostMs]);
}

/** Bytes, written as `10MB`. */
export function size(leastBytes: number, mostBytes: number): Kind<number> {
  return quantity("size", "10MB", { parse: parseSize, format: formatSize }, [leastBytes, mostBytes]);
}

type Units = Readonly<{ parse: (text: string) => number | null; format: (value: number) => string }>;

type Bounds = readonly [least: number, most: number];

function quantity(type: "duration" | "size", example: string, units: Units, [least, most]: Bounds): Kind<number> {
  const [from, to] = [units.format(least), units.format(most)];
  const read = (written: string) => {
    const value = units.parse(written);
    return value !== null && value >= least && value <= most ? { value, toml: quote(units.format(value)) } : null;
  };
  return text(`a ${type} such as "${example}" from ${from} to ${to}`, read, formOf(type, { least: from, most: to }));
}

/** Lets a setting be empty, with the meaning that its sentence gives. */
export function orEmpty(kind: Kind<string>): Kind<string> {
  return {
    ...kind,
    accepts: `${kind.accepts}, or ""`,
    read: (written) => (written === "" ? { ok: true, value: "", toml: '""' } : kind.read(written)),
  };
}

/** An empty variable could also be one that is not set, so an empty list has its own text. */
const EMPTY_LIST = "[]";

/** Each item once, in the order written. In an environment variable, commas separate them. */
export function listOf<T>(item: Kind<T>, most: number): Kind<readonly T[]> {
  const accepts = `a list, each item ${item.accepts}`;
  return {
    accepts,
    form: formOf("list", { of: item.form.type, most: String(most) }),
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
    ...list,
    accepts,
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
