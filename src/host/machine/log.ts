import { isoTime } from "../../core/time.ts";
import type { Clock, Log, LogFields } from "../../guard/ports.ts";

/** A longer value is cut, because what strangers send is logged too. */
const VALUE_CHARACTERS = 1_000;

/** Writes one line for each message, `TIME LEVEL MESSAGE name=value …`, for `svlogd` or a journal. */
export function createLog(clock: Clock, write: (line: string) => void = toStderr): Log {
  const at =
    (level: keyof Log) =>
    (message: string, fields: LogFields = {}): void =>
      write(`${isoTime(clock.now())} ${level} ${printable(message)}${printFields(fields)}\n`);
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

function printFields(fields: LogFields): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${printValue(value)}`)
    .join("");
}

function printValue(value: string | number | boolean | null): string {
  if (typeof value !== "string") return String(value);
  const text = printable(value.length > VALUE_CHARACTERS ? `${value.slice(0, VALUE_CHARACTERS)}…` : value);
  return /^[^\s"=\\]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}

/**
 * Escapes control characters, line separators and direction marks, which could forge lines or mislead the reader.
 */
function printable(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("\\", "\\\\")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Maximum size of lines that svlogd(8) has not accepted yet. It accepts none while the disk is full or read-only. */
const MOST_UNWRITTEN_BYTES = 256 * 1024;

/** Drops lines without a report if the log cannot be written. */
function toStderr(line: string): void {
  if (process.stderr.writableLength > MOST_UNWRITTEN_BYTES) return;
  try {
    process.stderr.write(line);
  } catch {
    // The reader of the log is gone.
  }
}
