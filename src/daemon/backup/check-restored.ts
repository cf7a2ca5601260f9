import { createPrivateKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { instant } from "../../core/time.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Environment, loadSettings } from "../../settings/load.ts";
import { readPair, servedFiles } from "../set-up/issue-certificate.ts";
import { MANIFEST, type Manifest, parseManifest } from "./manifest.ts";
import { type Rows, tables } from "./rows.ts";
import { damageOf } from "./stage.ts";

/** Whether a restored directory has its description, and its databases are intact. */
export function checkRestored(
  layout: Layout,
): Readonly<{ ok: true; manifest: Manifest }> | Readonly<{ ok: false; reason: string }> {
  const file = join(layout.data, MANIFEST);
  const manifest = existsSync(file) ? parseManifest(readFileSync(file, "utf8")) : null;
  if (manifest === null) return { ok: false, reason: "the snapshot is not one of this program's" };
  for (const path of [layout.engineDb, layout.accountsDb]) {
    const trouble = damageOf(path);
    if (trouble !== null) return { ok: false, reason: `${basename(path)} of the snapshot is damaged (${trouble})` };
  }
  return { ok: true, manifest };
}

/** Null, or what the databases had when the backup was made, and lack now. */
export function rowsTrouble({ rows: then }: Manifest, now: Rows): string | null {
  const table = tables.find((name) => then !== undefined && then[name].sha256 !== now[name].sha256);
  if (then === undefined || table === undefined) return null;
  const [had, has] = [then[table].count, now[table].count];
  return had === has
    ? `its ${table} are others than the server had`
    : `the server had ${had} ${table} and has ${has} after the restore`;
}

/** Null, or why the restored settings cannot be used. */
export function settingsTrouble({ settings }: Layout, env: Environment): string | null {
  const loaded = loadSettings(existsSync(settings) ? readFileSync(settings, "utf8") : null, env);
  return loaded.ok ? null : `its settings are wrong: ${loaded.problems.map(({ says }) => says).join(" ")}`;
}

/**
 * Null, or what is wrong with the restored keys: a certificate without its key, an invalid DKIM key, or one that differs from the key
 * that the running server had then and still has.
 */
export function keysTrouble(restored: Layout, running: Layout, at: number): string | null {
  const served = servedFiles(restored);
  if (existsSync(served.cert) || existsSync(servedFiles(running).cert)) {
    const pair = readPair(served, instant(at));
    if (!pair.ok) return `its certificate cannot be used: ${pair.reason.replace(/\.$/, "")}`;
  }
  for (const name of namesOf(restored.dkimKeys)) {
    if (!isPrivateKey(join(restored.dkimKeys, name))) return `the DKIM key ${name} cannot be read`;
  }
  const missing = namesOf(running.dkimKeys).find((name) => {
    const own = join(running.dkimKeys, name);
    if (statSync(own).mtimeMs >= at) return false;
    const other = join(restored.dkimKeys, name);
    return !existsSync(other) || readFileSync(other, "utf8") !== readFileSync(own, "utf8");
  });
  return missing === undefined ? null : `the DKIM key ${missing} is missing or another one`;
}

function isPrivateKey(file: string): boolean {
  try {
    return createPrivateKey(readFileSync(file, "utf8")).type === "private";
  } catch {
    return false;
  }
}

function namesOf(directory: string): readonly string[] {
  return existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith(".pem")) : [];
}
