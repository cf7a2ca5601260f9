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
/** A spreadsheet takes a field that starts like this for a formula, and may end fields at a semicolon or tab even within quotes. */
const FORMULA = /(^|[;\t\r\n])(?=[\s"']*[=+\-@＝＋－＠])/g;
const QUOTED = /[",;\t\r\n']/;

/** RFC 4180, with a header line. */
export function csvOf(events: readonly EventItem[]): string {
  const rows = events.map((event) => COLUMNS.map((name) => cell(event[name])).join(","));
  return [COLUMNS.join(","), ...rows, ""].join("\r\n");
}

function cell(value: string | number | null): string {
  if (typeof value !== "string") return String(value ?? "");
  const safe = value.replace(FORMULA, "$1'");
  return QUOTED.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
