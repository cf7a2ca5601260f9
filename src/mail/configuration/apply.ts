import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Failed } from "../../guard/ports.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { groupId } from "../../host/machine/system-users.ts";
import { moveFile, readPlain, setAccess, writeFile } from "../../host/root-files/files.ts";
import type { Access } from "../../host/root-files/replace.ts";
import { makeDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { SetUpFailure } from "../../host/running/failure.ts";
import { SERVICES, type ServiceName } from "../../host/running/runit.ts";
import { CONTENT_USERS, type Layout, USERS } from "../../settings/layout.ts";
import { prepareMailKeys } from "../dovecot/mail-keys.ts";
import { noteOwnDovecot } from "../dovecot/own-dovecot.ts";
import { renderSieve } from "../dovecot/sieve.ts";
import { dkimKeys } from "../rspamd/rspamd-conf.ts";
import { renderLearnScripts } from "../spamassassin/learn-spam.ts";
import { type Part, partsOf } from "./parts.ts";
import type { RenderedFile, Site } from "./site.ts";

/** `changed`: services with a new configuration, each once. `unused`: why the owner's Dovecot settings are not used, or null. */
type Applied = Readonly<{ ok: true; changed: readonly ServiceName[]; unused: string | null }> | Failed;

type Rendered = Readonly<{ ok: true; changed: readonly ServiceName[] }> | Failed;

const NO_KEYS = { ok: true, changed: false } as const;

/**
 * `only`: the configuration of these services. `isServing`: components run with the configuration in force, so an unchanged one need not be
 * checked again. `isStarting`: they are started next, and the caller reports those that do not run. `moving`: called before files of a
 * service move into place. The service must be reloaded then, even if other files cannot be moved.
 */
type ApplyOptions = Readonly<{
  only?: readonly ServiceName[];
  isServing?: boolean;
  isStarting?: boolean;
  moving?: (service: ServiceName) => void;
}>;

/**
 * Applies the owner's Dovecot settings too, unless Dovecot refuses the configuration only because of them: mail works without them.
 * Records why they are not used.
 */
export async function applyConfiguration(site: Site, options: ApplyOptions = {}): Promise<Applied> {
  const applied = await applyRendered(site, options);
  const isWithout = !applied.ok && site.ownDovecot !== "";
  const ended = isWithout ? await applyRendered({ ...site, ownDovecot: "" }, options) : applied;
  // The configuration is refused without them too, so they are not the cause.
  if (!ended.ok) return ended;
  // `line 2: Unknown setting: nonsense`, without the path of our copy.
  const ownLine = applied.ok ? "" : applied.reason.replace(/^.*?\S*own\.conf (?=line \d)/, "");
  const unused = applied.ok ? site.ownDovecotUnused : `the file of mailboxes.dovecot: ${ownLine}`;
  if ((options.only ?? SERVICES).includes("dovecot")) noteOwnDovecot(site.layout, unused);
  return { ...ended, unused };
}

/**
 * Renders everything beside the configuration in force, lets all components check their parts in parallel, and only then moves everything
 * into place. Reloads nothing: the caller knows whether the services run.
 */
async function applyRendered(
  site: Site,
  { only = SERVICES, isServing = false, isStarting = false, moving }: ApplyOptions,
): Promise<Rendered> {
  // These come first, because Dovecot's check reads them.
  const keys = only.includes("dovecot") ? prepareMailKeys(site, isStarting, () => moving?.("dovecot")) : NO_KEYS;
  if (!keys.ok) return keys;
  const rendered = partsOf(site).filter(({ service }) => only.includes(service));
  const parts = rendered
    .map(compare)
    .filter(({ readsOwnersFiles, changes }) => !isServing || readsOwnersFiles || changes.length > 0);
  try {
    for (const part of parts) stage(part);
    const checked = parts.filter(({ isUncheckedAtStart = false }) => !isStarting || !isUncheckedAtStart);
    const reasons = await Promise.all(
      checked.map(async (part) => (await part.check?.(stagedAt(part), site.layout)) ?? null),
    );
    const reason = reasons.find((one) => one !== null);
    if (reason !== undefined) return { ok: false, reason };
    makeDkimKeys(site);
    const changed = parts.filter(({ changes }) => changes.length > 0).map(({ service }) => service);
    for (const part of parts) {
      if (part.changes.length > 0) moving?.(part.service);
      moveIntoPlace(part);
    }
    if (keys.changed) changed.push("dovecot");
    return { ok: true, changed: [...new Set(changed)] };
  } finally {
    for (const part of parts) removeTree(stagedAt(part));
  }
}

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

function moveIntoPlace(part: Compared): void {
  const { live, changes } = part;
  makeDirectory(live, 0o755);
  for (const { name } of changes) {
    makeDirectory(dirname(join(live, name)), 0o755);
    moveFile(join(stagedAt(part), name), join(live, name));
  }
}

function compare(part: Part): Compared {
  const changes = part.files.filter(({ name, text }) => {
    const path = join(part.live, name);
    return !existsSync(path) || readFileSync(path, "utf8") !== text;
  });
  return { ...part, changes };
}

/** Every receiver verifies keys of this size (RFC 8301 section 3.2), and they fit into one UDP answer. */
const RSA_BITS = 2_048;
const MOST_BYTES = 64 * 1_024;

/**
 * Creates missing keys. An existing key is never replaced, because its public half is published. Keys belong to root, and
 * Rspamd may read them. Another user's key (earlier versions gave them to Rspamd) is replaced by root's copy, which
 * no program has open for writing.
 */
export function makeDkimKeys(site: Pick<Site, "layout" | "domains" | "dkimSelector">): void {
  const owner = { uid: process.geteuid?.() ?? 0, gid: groupId(CONTENT_USERS.rspamd) };
  for (const { file } of dkimKeys(site)) {
    const found = readPlain(file, MOST_BYTES);
    // An empty file was not flushed before a power failure, so its public half cannot be published yet.
    const key = found === null || found.text.trim() === "" ? null : found;
    if (key?.owner.uid === owner.uid && key.owner.gid === owner.gid && key.mode === 0o640) continue;
    const made = () => generateKeyPairSync("rsa", { modulusLength: RSA_BITS }).privateKey;
    writeFile(file, key?.text ?? made().export({ type: "pkcs8", format: "pem" }), { mode: 0o640, owner });
  }
}

const MOST_SECRET_BYTES = 4 * 1_024;

/**
 * Creates two secrets once. The first proves to the guard that a client is Dovecot, and Dovecot's password hashes depend on it. The second
 * distinguishes our own proofs from strangers' text; Postfix reads its own copy.
 */
export function makeSecrets({ loginPolicySecret, proofWord }: Pick<Layout, "loginPolicySecret" | "proofWord">): void {
  makeSecret(loginPolicySecret, 32, { mode: 0o640, owner: { uid: 0, gid: groupId(USERS.guard) } });
  makeSecret(proofWord, 16, { mode: 0o640, owner: { uid: 0, gid: groupId(CONTENT_USERS.rspamd) } });
}

/** Keeps an existing secret, unless it is empty: earlier versions did not flush it, so a power failure could lose its text. */
function makeSecret(file: string, bytes: number, access: Access): void {
  const found = readPlain(file, MOST_SECRET_BYTES);
  if (found === null || found.text.trim() === "") writeFile(file, `${randomBytes(bytes).toString("hex")}\n`, access);
  else setAccess(file, access);
}

/** Compiles the scripts that run before each user's own: delivery agents and IMAP processes may not write compiled files there. */
export async function compileSieve({ sieve, dovecotConf }: Layout): Promise<void> {
  for (const { name } of [renderSieve(), ...renderLearnScripts()]) {
    const script = join(sieve, name);
    const compiled = script.replace(/\.sieve$/, ".svbin");
    if (existsSync(compiled) && statSync(compiled).mtimeMs > statSync(script).mtimeMs) continue;
    const made = await runProgram("sievec", ["-c", dovecotConf, script]);
    if (made.code !== 0) throw new SetUpFailure(`The script ${script} could not be compiled: ${lastLines(made)}`);
  }
}
