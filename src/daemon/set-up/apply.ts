import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { moveFile, writeFile } from "../../adapters/root-files/files.ts";
import { makeDirectory } from "../../adapters/root-files/trees.ts";
import { removeTree } from "../../adapters/root-files/walk.ts";
import { SERVICES, type ServiceName } from "../../render/runit.ts";
import type { RenderedFile, Site } from "../../render/site.ts";
import { type Part, partsOf } from "../keeper/configuration/parts.ts";
import { makeDkimKeys } from "./dkim-keys.ts";
import { prepareMailKeys } from "./mail-keys.ts";
import { noteOwnDovecot } from "./own-dovecot.ts";

/** `changed`: services with a new configuration, each once. `unused`: why the owner's Dovecot settings are not used, or null. */
export type Applied =
  | Readonly<{ ok: true; changed: readonly ServiceName[]; unused: string | null }>
  | Readonly<{ ok: false; reason: string }>;

type Rendered = Readonly<{ ok: true; changed: readonly ServiceName[] }> | Readonly<{ ok: false; reason: string }>;

const NO_KEYS = { ok: true, changed: false } as const;

/**
 * `only`: the configuration of these services. `isServing`: components run with the configuration in force, so an unchanged one
 * need not be checked again. `isStarting`: they are started next, and the caller reports those that do not run.
 */
type How = Readonly<{ only?: readonly ServiceName[]; isServing?: boolean; isStarting?: boolean }>;

/**
 * Applies the owner's Dovecot settings too, unless Dovecot refuses the configuration only because of them: mail works without them.
 * Records why they are not used.
 */
export async function applyConfiguration(site: Site, how: How = {}): Promise<Applied> {
  const applied = await applyRendered(site, how);
  const isWithout = !applied.ok && site.ownDovecot !== "";
  const ended = isWithout ? await applyRendered({ ...site, ownDovecot: "" }, how) : applied;
  // Without them it is refused too, so they are not the cause.
  if (!ended.ok) return ended;
  const unused = applied.ok ? site.ownDovecotUnused : `the file of mailboxes.dovecot: ${ownLine(applied.reason)}`;
  if ((how.only ?? SERVICES).includes("dovecot")) noteOwnDovecot(site.layout, unused);
  return { ...ended, unused };
}

/** `line 2: Unknown setting: nonsense`, without the path of our copy. */
function ownLine(reason: string): string {
  return reason.replace(/^.*?\S*own\.conf (?=line \d)/, "");
}

/**
 * Renders everything beside the configuration in force, lets each component check its own, all at once, and only then moves
 * everything into place. Reloads nothing: the caller knows whether the services run.
 */
async function applyRendered(
  site: Site,
  { only = SERVICES, isServing = false, isStarting = false }: How,
): Promise<Rendered> {
  // Dovecot checks that it can read them.
  const keys = only.includes("dovecot") ? prepareMailKeys(site) : NO_KEYS;
  if (!keys.ok) return keys;
  const rendered = partsOf(site).filter(({ service }) => only.includes(service));
  const parts = rendered
    .map(compare)
    .filter(({ readsOthers, changes }) => !isServing || readsOthers || changes.length > 0);
  try {
    for (const part of parts) stage(part);
    const checked = parts.filter(({ isToldByStart = false }) => !isStarting || !isToldByStart);
    const reasons = await Promise.all(checked.map((part) => part.check(stagedAt(part))));
    const reason = reasons.find((one) => one !== null);
    if (reason !== undefined) return { ok: false, reason };
    makeDkimKeys(site);
    const changed = parts.filter(moveIntoPlace).map(({ service }) => service);
    if (keys.changed) changed.push("dovecot");
    return { ok: true, changed: [...new Set(changed)] };
  } finally {
    for (const part of parts) removeTree(stagedAt(part));
  }
}

/** With what differs from the files in force. */
type Compared = Part & Readonly<{ changes: readonly RenderedFile[] }>;

function stagedAt({ live }: Part): string {
  return `${live}.staged`;
}

function stage(part: Part): void {
  const staged = stagedAt(part);
  removeTree(staged);
  makeDirectory(staged, 0o755);
  for (const { name, text, mode } of part.files) {
    const path = join(staged, name);
    makeDirectory(dirname(path), 0o755);
    writeFile(path, text, { mode, flush: false });
  }
}

function moveIntoPlace(part: Compared): boolean {
  const { live, changes } = part;
  makeDirectory(live, 0o755);
  for (const { name } of changes) {
    makeDirectory(dirname(join(live, name)), 0o755);
    moveFile(join(stagedAt(part), name), join(live, name));
  }
  return changes.length > 0;
}

function compare(part: Part): Compared {
  const changes = part.files.filter(({ name, text }) => {
    const path = join(part.live, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  return { ...part, changes };
}
