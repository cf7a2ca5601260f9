import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod/mini";
import { failureOf, messageOf } from "../../core/error.ts";
import { parseAs } from "../../core/parse-as.ts";
import { plural } from "../../core/text.ts";
import { HOUR_MS } from "../../core/time.ts";
import type { Failed } from "../../guard/ports.ts";
import { lastLines, runProgram } from "../../host/machine/run-program.ts";
import { ourselves } from "../../host/root-files/directory.ts";
import { makePrivateDirectory } from "../../host/root-files/trees.ts";
import { removeTree } from "../../host/root-files/walk.ts";
import { type Layout, layoutOf } from "../../settings/layout.ts";
import type { Environment } from "../../settings/load.ts";
import type { Settings } from "../../settings/schema.ts";
import { checkRestored, compareMails, keysTrouble, rowsTrouble, sampleOf, settingsTrouble } from "./check-restored.ts";
import { type Manifest, rowsOf } from "./manifest.ts";
import { changeDrills, type Drill, type DrillFindings, endDrill, secondServer } from "./records.ts";
import { alone, placeOf, repositoryOf } from "./repository.ts";
import { latestOf, type Progress, type Restic } from "./restic.ts";
import { giveAll, lackingRoom, readManifest } from "./restore.ts";
import { type MailCounts, mailFiles, mailsOfAccounts, queuedBelow, totalOf } from "./stage.ts";

const COMPARED = 100;
/** Space and inodes that a drill must leave for mail. */
const SPARE_BYTES = 256 << 20;
const SPARE_INODES = 10_000;
/** A file takes whole blocks. */
const BLOCK_BYTES = 4_096;

type How = Readonly<{ env: Environment; watch: (progress: Progress) => void; says: (step: string) => void }>;
export type DrillOutcome = Readonly<{ ok: true; drill: Drill }> | Failed;

/**
 * Restores the newest snapshot beside the running server, into a directory only for root, checks it, starts a second server from
 * it without a network, and removes it again. Keeps the result. `ok: false`: the repository is in use, or the result could not be kept.
 */
export async function drillRestore(layout: Layout, settings: Settings, how: How): Promise<DrillOutcome> {
  return alone(layout, async () => {
    const at = Date.now();
    let known: Pick<Drill, "snapshot" | "madeAt"> = { snapshot: null, madeAt: null };
    const end = (result: Pick<Drill, "reason" | "found">): DrillOutcome => {
      const drill = { at, tookMs: Date.now() - at, ...known, ...result };
      const unkept = failureOf(() => endDrill(layout, drill));
      return unkept === null ? { ok: true, drill } : { ok: false, reason: result.reason ?? unkept };
    };
    const fail = (reason: string) => end({ reason, found: null });
    try {
      changeDrills(layout, { begun: at });
      // Left by a drill that was killed.
      removeTree(layout.backupDrill);
      const restic = repositoryOf(layout, settings);
      const chosen = await newest(restic, placeOf(layout, settings));
      if (!chosen.ok) return fail(chosen.reason);
      const { snapshot, manifest } = chosen;
      known = { snapshot, madeAt: manifest.at };
      const size = await restic.size(snapshot);
      if (!size.ok) return fail(size.reason);
      const lacking = lackingFor(size.value, layout, manifest);
      if (lacking !== null) return fail(lacking);
      makePrivateDirectory(layout.backupDrill);
      const to = { to: layout.backupDrill, sizeBytes: size.value, watch: how.watch };
      const restored = await restic.restore(snapshot, to);
      if (!restored.ok) return fail(restored.reason);
      const { accounts, ...checked } = check(layout, how.env);
      if (checked.reason !== null || checked.found === null) return end(checked);
      how.says("Starting a second server from it ...");
      return end(await startSecond(layout, how.env, { found: checked.found, accounts }));
    } catch (error) {
      return fail(messageOf(error));
    } finally {
      removeTree(layout.backupDrill);
    }
  });
}

type Chosen = Readonly<{ ok: true; snapshot: string; manifest: Manifest }>;

async function newest(restic: Restic, place: string): Promise<Chosen | Failed> {
  const found = await restic.snapshots();
  if (!found.ok) return { ok: false, reason: `${place} cannot be read: ${found.reason}` };
  const snapshot = latestOf(found.value)?.id.slice(0, 8);
  if (snapshot === undefined) return { ok: false, reason: `${place} holds no backup` };
  const read = await readManifest(restic, snapshot);
  return read.ok ? { ok: true, snapshot, manifest: read.manifest } : { ok: false, reason: asClause(read.reason) };
}

/** Makes a sentence fit after a colon. */
function asClause(sentence: string): string {
  return sentence.replace(/^The (.*)\.$/, "the $1");
}

/** Why the disk has too little space or inodes for the restore; null if it has enough. */
function lackingFor(sizeBytes: number, layout: Layout, manifest: Manifest): string | null {
  const files = manifest.mails + manifest.queued;
  const lacking = lackingRoom(layout.backup, sizeBytes + files * BLOCK_BYTES + SPARE_BYTES);
  if (lacking !== null) return asClause(lacking);
  const { files: inodes, ffree } = statfsSync(layout.backup);
  // 0 means that the file system creates inodes as needed.
  if (inodes === 0 || ffree >= files + SPARE_INODES) return null;
  return `the restore needs ${files + SPARE_INODES} inodes, and the disk of ${layout.backup} has ${ffree} left`;
}

/** Runs all checks that need no second server. */
function check(layout: Layout, env: Environment): Pick<Drill, "reason" | "found"> & Readonly<{ accounts: MailCounts }> {
  const restored = layoutOf(layout.backupDrill);
  const whole = checkRestored(restored);
  if (!whole.ok) return { reason: whole.reason, found: null, accounts: {} };
  const { manifest } = whole;
  const accounts = mailsOfAccounts(mailFiles(restored.mail));
  const sample = sampleOf(mailFiles(restored.mail), COMPARED);
  const compared = compareMails(sample, restored.mail, layout.mail);
  const rows = rowsOf(restored);
  const found: DrillFindings = {
    mails: totalOf(accounts),
    mailboxes: Object.keys(accounts).length,
    queued: queuedBelow(restored.postfixQueue).length,
    accounts: rows.accounts.count,
    aliases: rows.aliases.count,
    bans: rows.bans.count,
    tokens: rows.tokens.count,
    same: compared.same,
    gone: compared.gone,
    different: compared.different.length,
    server: null,
  };
  const reason =
    lossOf(manifest, found, accounts) ??
    rowsTrouble(manifest, rows) ??
    (compared.different.length > 0
      ? `${compared.different.length} of ${plural(sample.length, "mail")} differ from the originals in the mailboxes; first: ${join("mail", compared.different[0] ?? "")}`
      : null) ??
    settingsTrouble(restored, layout, manifest.at, env) ??
    keysTrouble(restored, layout, manifest.at);
  return { reason, found, accounts };
}

/** `found` and `accounts`: what the files contain. */
async function startSecond(
  layout: Layout,
  env: Environment,
  { found, accounts }: Readonly<{ found: DrillFindings; accounts: MailCounts }>,
): Promise<Pick<Drill, "reason" | "found">> {
  const restored = layoutOf(layout.backupDrill);
  // The queue has been counted, and must never be sent.
  removeTree(restored.postfixQueue);
  // As after a real restore: the start gives each user its own files.
  giveAll(restored.data, ourselves());
  const second = await runSecondServer(layout, restored.data, env);
  if (!second.ok && second.isImpossible === true) return { reason: null, found };
  if (!second.ok)
    return { reason: `the server that was started from it fails: ${second.reason.replace(/\.$/, "")}`, found };
  const { mails, ...seen } = second.seen;
  const [account] = Object.entries(mails).find(([name, count]) => count !== (accounts[name] ?? 0)) ?? [];
  const reason =
    account === undefined
      ? null
      : `Dovecot counts ${plural(mails[account] ?? 0, "mail")} of ${account}, of which there are ${accounts[account] ?? 0}`;
  return { reason, found: { ...found, server: { ...seen, mails: totalOf(mails) } } };
}

/** Null, or which mails are missing that the server had when the snapshot was made. */
function lossOf(manifest: Manifest, found: DrillFindings, accounts: MailCounts): string | null {
  for (const [account, mails] of Object.entries(manifest.accounts ?? {})) {
    const now = accounts[account] ?? 0;
    if (now !== mails) return `${account} had ${plural(mails, "mail")} and has ${now} after the restore`;
  }
  if (found.mails !== manifest.mails)
    return `the server had ${plural(manifest.mails, "mail")} and has ${found.mails} after the restore`;
  if (found.queued === manifest.queued) return null;
  return `the queue had ${plural(manifest.queued, "mail")} and has ${found.queued} after the restore`;
}

/** The result of the second server, with mails by account instead of their total. */
const seen = z.extend(secondServer, { mails: z.record(z.string(), z.number()) });
export type SecondServer = Readonly<z.output<typeof seen>>;

const answer = z.discriminatedUnion("ok", [
  z.object({ ok: z.literal(true), seen }),
  // `isImpossible`: root may not create namespaces on this machine, or mount in them, as in most containers.
  z.object({ ok: z.literal(false), reason: z.string(), isImpossible: z.optional(z.boolean()) }),
]);

/** The second server's namespaces lack a right that would keep it apart from the running server. The backup is not the cause. */
export class CannotBeApart extends Error {}

const MOST_MS = HOUR_MS;
/**
 * Separate namespaces for network, mounts, processes and the rest (unshare(1)): the second server sees no other process, socket, port or
 * firewall. They have no names, and everything in them ends with their first process, which the kernel kills when this process ends.
 */
const APART = ["--pdeathsig", "KILL", "unshare"];
const NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"];

/** Starts a second server from `scratch` without a network, checks it, and stops it. */
async function runSecondServer(layout: Layout, scratch: string, env: Environment): Promise<z.output<typeof answer>> {
  const program = join(layout.program, "backup.js");
  if (!existsSync(program)) return { ok: false, reason: "its programs are missing until the first `npm start`" };
  const node = [layout.node, "--disable-warning=ExperimentalWarning", program, "second", scratch];
  const ours = Object.entries(env).filter(([name]) => name.startsWith("GHOSTINBOX_"));
  const variables = Object.fromEntries(ours.map(([name, value = ""]) => [name, value]));
  const ran = await runProgram("setpriv", [...APART, ...NAMESPACES, ...node], {
    timeoutMs: MOST_MS,
    env: { ...variables, GHOSTINBOX_DATA: layout.data },
  });
  const refused = whyNoNamespaces(ran.stderr);
  if (refused !== null) return { ok: false, reason: refused, isImpossible: true };
  const last = ran.stdout.trim().split("\n").at(-1) ?? "";
  return parseAs(answer, last) ?? { ok: false, reason: `it ended early: ${lastLines(ran)}` };
}

/**
 * Output of unshare(1): the kernel or the container refuses a namespace (EPERM, or ENOSPC and EINVAL if their number is
 * limited or the kernel has none), or a mount in one. Null if it got as far as our program. Exported for its test.
 */
export function whyNoNamespaces(stderr: string): string | null {
  return /^unshare: (?!failed to execute )(.*)$/m.exec(stderr)?.[1] ?? null;
}
