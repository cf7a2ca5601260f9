import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServiceName } from "../render/runit.ts";
import type { Site } from "../render/site.ts";
import { type Part, partsOf } from "./parts.ts";
import { makeDkimKeys } from "./set-up/dkim-keys.ts";

/** `changed`: services whose configuration is another now, each once. */
export type Applied = Readonly<{ ok: true; changed: readonly ServiceName[] }> | Readonly<{ ok: false; reason: string }>;

/**
 * Renders everything beside the configuration in force, has each component check its own, and only then moves all of
 * it into place. Reloads nothing: the caller knows whether the services run.
 */
export async function applyConfiguration(site: Site): Promise<Applied> {
  const parts = partsOf(site);
  try {
    for (const part of parts) stage(part);
    for (const part of parts) {
      const reason = await part.check(stagedAt(part));
      if (reason !== null) return { ok: false, reason };
    }
    makeDkimKeys(site);
    const changed = parts.filter(moveIntoPlace).map(({ service }) => service);
    return { ok: true, changed: [...new Set(changed)] };
  } finally {
    for (const part of parts) rmSync(stagedAt(part), { recursive: true, force: true });
  }
}

function stagedAt({ live }: Part): string {
  return `${live}.staged`;
}

function stage(part: Part): void {
  const staged = stagedAt(part);
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(staged, { recursive: true, mode: 0o755 });
  for (const { name, text, mode } of part.files) {
    const path = join(staged, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
  }
}

function moveIntoPlace(part: Part): boolean {
  const { live, files } = part;
  const changed = files.filter(({ name, text }) => {
    const path = join(live, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  mkdirSync(live, { recursive: true, mode: 0o755 });
  for (const { name } of changed) {
    mkdirSync(dirname(join(live, name)), { recursive: true, mode: 0o755 });
    renameSync(join(stagedAt(part), name), join(live, name));
  }
  return changed.length > 0;
}
