import { existsSync, globSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { messageOf } from "../../../core/error.ts";
import { formatBytes } from "../../../core/report/figures.ts";
import { readAnchors } from "../../../jobs/audit/audit-anchors.ts";
import { isWhole, openAccountsForReading, openEngineForReading } from "../../../store/open.ts";
import { PROGRAM } from "../call.ts";
import { firstFew } from "../print/text.ts";
import { check, type Finding, fromDatabases, ok, unknown, warning, wrong } from "./check.ts";

const FIX = `${PROGRAM} restart  # fixes what can be fixed: docs/recovery.md`;
/** Maximum size to read: a longer read would let the write-ahead log grow. */
const MOST_BYTES = 1_000_000_000;

function look(path: string, open: (path: string) => DatabaseSync): Finding {
  // Including the write-ahead log.
  const sizeBytes = [path, `${path}-wal`].reduce((sum, file) => sum + (existsSync(file) ? statSync(file).size : 0), 0);
  const size = formatBytes(sizeBytes);
  if (sizeBytes > MOST_BYTES)
    return unknown(`${path} is ${size}, too large to read while the server runs.`, "docs/recovery.md");
  try {
    // Not closed, because the last connection that closes a database removes the files next to it.
    if (!isWhole(open(path))) return wrong(`${path}: quick_check finds damage.`, FIX);
    return ok(`SQLite's quick_check read ${size} of ${path} and found nothing wrong.`);
  } catch (error) {
    return wrong(`${path}: ${messageOf(error).replace(/\.$/, "")}.`, FIX);
  }
}

export const database = {
  engine: check("Reads the guard's database and lets SQLite check each page.", ({ layout: { engineDb } }) =>
    look(engineDb, openEngineForReading),
  ),
  accounts: check("Reads the accounts' database and lets SQLite check each page.", ({ layout: { accountsDb } }) =>
    look(accountsDb, openAccountsForReading),
  ),
  audit: check(
    "Checks the chain of administrators' actions against root's anchors.",
    fromDatabases(({ audit }, { layout, now }) => {
      const { last, fault } = audit.check(readAnchors(layout.auditAnchors).anchors, now);
      if (fault !== null) return wrong(`The audit is not consistent: ${fault.says}.`, `${PROGRAM} audit verify`);
      return ok(last === 0 ? "The audit has no entry yet." : `The audit is consistent up to entry ${last}.`);
    }),
  ),
  "set-aside": check("Looks for databases that were damaged, replaced or missing.", ({ layout: { engineDb } }) => {
    const files = globSync("*/*.db.{damaged,replaced,missing}-*", { cwd: dirname(dirname(engineDb)) });
    if (files.length === 0) return ok("No database was set aside.");
    return warning(`Databases were set aside: ${firstFew(files)}.`, "docs/recovery.md explains what may be missing");
  }),
};
