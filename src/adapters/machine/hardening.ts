import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { codeOf, messageOf } from "../../core/error.ts";
import type { HardeningFigures, Unless } from "../../core/report/facts.ts";
import { readLynis } from "../../wire/debian/lynis.ts";

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
