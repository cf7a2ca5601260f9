import { DAY_MS, formatDuration, parseDuration } from "../../core/time.ts";
import { formatSize, parseSize } from "../size.ts";
import { formOf, type Kind, quote, text, wrong } from "./kind.ts";

/** Numbers, words, times and sizes. */

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

/** One of these words. */
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
  const accepts = `a duration such as "30m" from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  const form = formOf("duration", { least: formatDuration(leastMs), most: formatDuration(mostMs) });
  const read = (written: string) => {
    const value = parseDuration(written);
    return value !== null && value >= leastMs && value <= mostMs ? { value, toml: quote(formatDuration(value)) } : null;
  };
  return text(accepts, read, form);
}

/** Bytes, written as `10MB`. */
export function size(leastBytes: number, mostBytes: number): Kind<number> {
  const accepts = `a size such as "10MB" from ${formatSize(leastBytes)} to ${formatSize(mostBytes)}`;
  const form = formOf("size", { least: formatSize(leastBytes), most: formatSize(mostBytes) });
  const read = (written: string) => {
    const value = parseSize(written);
    return value !== null && value >= leastBytes && value <= mostBytes
      ? { value, toml: quote(formatSize(value)) }
      : null;
  };
  return text(accepts, read, form);
}
