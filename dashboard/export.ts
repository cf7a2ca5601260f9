import type { EventItem } from "../src/admin/declare/items.ts";

const COLUMNS = [
  "id",
  "at",
  "type",
  "service",
  "ip",
  "account",
  "sender",
  "recipient",
  "queueId",
  "messageId",
  "helo",
  "verdict",
  "reason",
  "details",
] as const;
/**
 * A spreadsheet would take a field with such a start for a formula. It may take a semicolon or a tab for the end of a field, as one
 * in German does, and then quotes in the middle of a field do not protect it: so each such start counts.
 */
const FORMULA = /(^|[;\t\r\n])(?=[\s"']*[=+\-@＝＋－＠])/g;
const QUOTED = /[",;\t\r\n']/;

/** RFC 4180, with a first line of names. */
export function csvOf(events: readonly EventItem[]): string {
  const rows = events.map((event) => COLUMNS.map((name) => cell(event[name])).join(","));
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}

function cell(value: string | number | null): string {
  if (typeof value !== "string") return String(value ?? "");
  const safe = value.replace(FORMULA, "$1'");
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
