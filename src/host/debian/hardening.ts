import { codeOf, messageOf } from "../../core/error.ts";
import type { HardeningFigures, Unless } from "../../core/report/figures.ts";
import { printable } from "../../core/text.ts";
import { readNamed } from "../root-files/files.ts";

/** Where lynis(8) of Debian writes its report, only for root. */
const REPORT = "/var/log/lynis-report.dat";
const MOST_BYTES = 16 * 1024 * 1024;

/** Reads the last report of Lynis. Running it would take minutes. Never throws. */
export function hardening(file: string = REPORT): Unless<HardeningFigures> {
  try {
    const found = readLynis(readNamed(file, MOST_BYTES).toString());
    if (found === null) return { known: false, reason: `${file} is not the report of a finished run.` };
    // `found.at` is in local time, without a zone.
    return { known: true, ...found, at: new Date(found.at).toISOString() };
  } catch (error) {
    const reason = codeOf(error) === "ENOENT" ? "Lynis has not checked this machine." : messageOf(error);
    return { known: false, reason };
  }
}

const LONGEST_TEXT = 200;
const MOST_WARNINGS = 100;

/**
 * The report file of lynis(8): lines `KEY=VALUE`, lists `KEY[]=TEST|TEXT|DETAILS|SOLUTION|`. `at` is in the machine's own time,
 * without a zone. Null until the run has ended, or for any other file.
 */
export function readLynis(report: string): HardeningFigures | null {
  const values = new Map<string, string>();
  const warnings: HardeningFigures["warnings"][number][] = [];
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
  return { at: `${day}T${time}`, index: Number(index), warnings, suggestions };
}
