import { basename } from "node:path";
import * as z from "zod/mini";
import { readRecord, writeRecord } from "../../../adapters/root-files/record-file.ts";
import { type Schema, schemasOf } from "../../../adapters/sqlite/schemas.ts";
import type { Layout } from "../../../settings/layout.ts";
import { isOld } from "./upgrade-snapshot.ts";

/** The schemas that a rollback has left, by the name of the database's file. */
const schema = z.record(z.string(), z.number());

/** For a rollback, before it starts. The program that undoes an upgrade may be the newer one or the older one. */
export function noteTakenBack(layout: Layout): void {
  const left = schemasOf(layout).map(({ path, version, known }) => [basename(path), Math.max(version, known)]);
  writeRecord(layout.takenBack, Object.fromEntries(left));
}

/**
 * Why this program must not upgrade the databases: a rollback has just left it. Null if it may. So a reboot
 * before the older version is installed upgrades nothing.
 */
export function whyNotAgain(layout: Layout, schemas: readonly Schema[] = schemasOf(layout)): string | null {
  const left = readRecord(layout.takenBack, schema, {});
  const again = schemas.filter(isOld).find(({ path, known }) => left[basename(path)] === known);
  if (again === undefined) return null;
  return (
    `The upgrade of ${basename(again.path)} to schema ${again.known} was undone: install the version that you had before, ` +
    `or delete ${layout.takenBack} to upgrade again.`
  );
}
