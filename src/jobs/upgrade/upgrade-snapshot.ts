import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod/mini";
import { messageOf } from "../../core/error.ts";
import { minute } from "../../core/report/figures.ts";
import { inMb } from "../../core/text.ts";
import { compactTime, instant, isoTime, type Millis } from "../../core/time.ts";
import { whyEmptied } from "../../host/machine/settings-text.ts";
import { copyFile } from "../../host/root-files/copies.ts";
import { freeBytesAt } from "../../host/root-files/disks.ts";
import { readRecord, writeRecord } from "../../host/root-files/record-file.ts";
import { makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { releaseIn } from "../../host/running/checkout.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { DATA_IS_NEWER } from "../../host/running/systemd.ts";
import type { Layout } from "../../settings/layout.ts";
import { openAnySchema, type Schema, schemasOf, unusableSchema } from "../../store/schemas.ts";
import { copiedBytes, copyDatabase } from "../backup/stage.ts";

const schema = z.nullable(
  z.object({
    at: z.number(),
    /** Where the copies are, in `before-upgrade`. */
    directory: z.string(),
    /** The version of the program that ran before; null if it noted none. */
    version: z.nullable(z.string()),
    /** The schema of each database, by the name of its file. */
    schemas: z.record(z.string(), z.number()),
    /** Whether a version that upgraded the databases has run since. */
    isUpgraded: z.boolean(),
  }),
);
export type UpgradeSnapshot = Readonly<NonNullable<z.output<typeof schema>>>;

/**
 * Prefix of data set aside by rollbacks. Only the owner deletes it: accounts.db there may hold the only keys of mail that
 * is encrypted by account.
 */
export const SET_ASIDE = "after-";
/** One copy, and the write-ahead log of a migration that rewrites every row. */
const COPIES = 2;
const SPARE_BYTES = 64 * 1024 * 1024;

/** The kept snapshot, or null. */
export function readSnapshot(layout: Layout): UpgradeSnapshot | null {
  return readRecord(layout.upgradeSnapshot, schema, null);
}

/** The path of a data directory's file in the snapshot. */
export function inSnapshot(layout: Layout, { directory }: UpgradeSnapshot, path: string): string {
  return join(layout.beforeUpgrade, directory, basename(path));
}

/**
 * Copies databases, settings and the record of ADMIN_PASSWORD before the first migration of an upgrade. No process of the server may run.
 * Keeps the snapshot of an interrupted upgrade: only it has the earlier data. Null if none is needed. Throws SetUpFailure.
 */
export async function makeUpgradeSnapshot(layout: Layout, now: Millis): Promise<UpgradeSnapshot | null> {
  const schemas = schemasOf(layout);
  const last = readSnapshot(layout);
  if (!schemas.some(isOld) || hasBegun(last, schemas)) return null;
  // Removes copies of a killed start, whose space this one needs. Beside a damaged record they stay: one may be the last snapshot.
  if (last !== null || !existsSync(layout.upgradeSnapshot))
    dropOthers(layout, [last?.directory ?? "", layout.upgradeSnapshot, layout.rollback, layout.takenBack]);
  const lack = lackOfSpace(layout, schemas);
  if (lack !== null) throw new SetUpFailure(lack);
  const directory = compactTime(now);
  const made: UpgradeSnapshot = {
    at: now,
    directory,
    version: releaseIn(layout.program),
    schemas: Object.fromEntries(schemas.map(({ path, version }) => [basename(path), version])),
    isUpgraded: false,
  };
  try {
    makePrivateDirectory(layout.beforeUpgrade);
    makePrivateDirectory(join(layout.beforeUpgrade, directory));
    for (const { path } of schemas) {
      using db = openAnySchema(path);
      await copyDatabase(db, inSnapshot(layout, made, path), 0o600);
    }
    for (const path of [layout.adoptedScript, layout.firstStartDone])
      if (existsSync(path)) copyFile(path, inSnapshot(layout, made, path), 0o600);
    // Last: flushes the whole directory to the disk.
    copyFile(layout.settings, inSnapshot(layout, made, layout.settings), 0o640);
    writeRecord(layout.upgradeSnapshot, made);
  } catch (error) {
    removeTree(join(layout.beforeUpgrade, directory));
    throw new SetUpFailure(
      `The databases are older than the program, and could not be copied before the upgrade: ${messageOf(error)}. Nothing was changed.`,
    );
  }
  dropOthers(layout, [directory, layout.upgradeSnapshot]);
  return made;
}

function dropOthers({ beforeUpgrade }: Layout, kept: readonly string[]): void {
  const names = kept.map((path) => basename(path));
  for (const name of existsSync(beforeUpgrade) ? readdirSync(beforeUpgrade) : [])
    if (!names.includes(name) && !name.startsWith(SET_ASIDE)) removeTree(join(beforeUpgrade, name));
}

/** Notes that the new version runs: the next upgrade makes its own snapshot. An interrupted upgrade reuses this one. */
export function noteUpgraded(layout: Layout): void {
  const made = readSnapshot(layout);
  if (made === null || made.isUpgraded) return;
  try {
    writeRecord(layout.upgradeSnapshot, { ...made, isUpgraded: true });
  } catch {
    // For example, the disk is full. The server continues, and the next start notes it.
  }
}

/** Why the disk has too little space for an upgrade; null if it has enough, or if no database needs one. */
export function lackOfSpace(
  layout: Layout,
  schemas: readonly Schema[] = schemasOf(layout),
  freeBytes: number = freeBytesAt(layout.data),
): string | null {
  if (!schemas.some(isOld)) return null;
  const needed = spaceNeeded(layout);
  if (freeBytes >= needed) return null;
  return (
    `The databases are older than the program, and copying and upgrading them takes ${inMb(needed)} MB on the disk of ` +
    `${layout.data}, which has ${inMb(freeBytes)} MB left: make room, or start the version that you had before.`
  );
}

/** The space that an upgrade of the databases needs (bytes). */
export function spaceNeeded(layout: Layout): number {
  return COPIES * copiedBytes(layout) + SPARE_BYTES;
}

/** Describes a snapshot for people. */
export function describeSnapshot({ at, version, schemas }: UpgradeSnapshot): string {
  const of = Object.entries(schemas).map(([name, number]) => `${name} of schema ${number}`);
  const program = version === null ? "" : `, written by version ${version}`;
  return `${minute(isoTime(instant(at)))} (${of.join(", ")}${program})`;
}

/** Version 0 is a database that is still being created. */
export function isOld({ version, known }: Schema): boolean {
  return version > 0 && version < known;
}

function hasBegun(last: UpgradeSnapshot | null, schemas: readonly Schema[]): boolean {
  if (last === null || last.isUpgraded) return false;
  return schemas.some(({ path, version }) => version > (last.schemas[basename(path)] ?? version));
}

/** The schemas that a rollback has undone, by the name of the database's file. */
const takenBackSchema = z.record(z.string(), z.number());

/** Notes the schemas that a rollback is about to undo. The newer or the older program may run it, so the higher number counts. */
export function noteTakenBack(layout: Layout): void {
  const left = schemasOf(layout).map(({ path, version, known }) => [basename(path), Math.max(version, known)]);
  writeRecord(layout.takenBack, Object.fromEntries(left));
}

/**
 * Why this program must not upgrade the databases: a rollback has just undone that upgrade. Null if it may. Without this, a reboot before
 * the older version is installed would upgrade them again.
 */
export function whyNotAgain(layout: Layout, schemas: readonly Schema[] = schemasOf(layout)): string | null {
  const left = readRecord(layout.takenBack, takenBackSchema, {});
  const again = schemas.filter(isOld).find(({ path, known }) => left[basename(path)] === known);
  if (again === undefined) return null;
  return (
    `The upgrade of ${basename(again.path)} to schema ${again.known} was undone: install the version that you had before, ` +
    `or delete ${layout.takenBack} to upgrade again.`
  );
}

/** Reasons why this version cannot start with the databases. */
export function obstaclesInData(layout: Layout, schemas: readonly Schema[]): readonly string[] {
  const found = [unusableSchema(schemas), whyNotAgain(layout, schemas), lackOfSpace(layout, schemas)];
  return found.filter((obstacle) => obstacle !== null);
}

/** Throws SetUpFailure if another version wrote the databases, their upgrade was just undone, or the settings are lost. */
export function refuseUnfitData(layout: Layout): void {
  const schemas = schemasOf(layout);
  const why = unusableSchema(schemas) ?? whyNotAgain(layout, schemas);
  if (why !== null) throw new SetUpFailure(why, DATA_IS_NEWER);
  const emptied = whyEmptied(layout);
  if (emptied !== null) throw new SetUpFailure(emptied);
}
