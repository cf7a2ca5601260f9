import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { codeOf, messageOf } from "../../core/error.ts";
import type { HardeningFigures, Unless } from "../../core/report/figures.ts";
import { printable } from "../../core/text.ts";

/** Where lynis(8) of Debian writes its report, only for root. */
const REPORT = "/var/log/lynis-report.dat";
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads the last report of Lynis. Running it would take minutes. Never throws. */
export function hardening(file: string = REPORT): Unless<HardeningFigures> {
  try {
    const text = readBounded(file);
    const found = text === null ? null : readLynis(text);
    if (found === null) return { known: false, reason: `${file} is not the report of a run that has ended.` };
    const { endedAt, index, warnings, suggestions } = found;
    return { known: true, at: new Date(endedAt).toISOString(), index, warnings, suggestions };
  } catch (error) {
    const reason = codeOf(error) === "ENOENT" ? "Lynis has not looked at this machine." : messageOf(error);
    return { known: false, reason };
  }
}

function readBounded(file: string): string | null {
  const fd = openSync(file, "r");
  try {
    const stat = fstatSync(fd);
    return stat.isFile() && stat.size <= MOST_BYTES ? readFileSync(fd, "utf8") : null;
  } finally {
    closeSync(fd);
  }
}

export type LynisResult = Readonly<{
  /** When it ended: ISO 8601, but in the machine's own time and without a zone. */
  endedAt: string;
  /** 0 to 100. */
  index: number;
  warnings: readonly Readonly<{ test: string; says: string }>[];
  suggestions: number;
}>;

const LONGEST_TEXT = 200;
const MOST_WARNINGS = 100;

/**
 * The report file of lynis(8): lines `KEY=VALUE`, lists `KEY[]=TEST|TEXT|DETAILS|SOLUTION|`. Null while a run has not come to
 * its end, or if this is no such file.
 */
export function readLynis(report: string): LynisResult | null {
  const values = new Map<string, string>();
  const warnings: LynisResult["warnings"][number][] = [];
  let suggestions = 0;
  for (const line of report.split("\n")) {
    const [, key = "", list, value = ""] = /^([a-z_]{1,60})(\[\])?=(.*)$/.exec(line) ?? [];
    if (list === undefined) values.set(key, value);
    else if (key === "suggestion") suggestions += 1;
    else if (key === "warning" && warnings.length < MOST_WARNINGS) {
      const [test = "", says = ""] = value.split("|");
      warnings.push({ test: printable(test, LONGEST_TEXT), says: printable(says, LONGEST_TEXT) });
    }
  }
  const index = values.get("hardening_index") ?? "";
  const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/.exec(values.get("report_datetime_end") ?? "") ?? [];
  if (day === undefined || time === undefined || !/^\d{1,3}$/.test(index) || Number(index) > 100) return null;
  return { endedAt: `${day}T${time}`, index: Number(index), warnings, suggestions };
}
