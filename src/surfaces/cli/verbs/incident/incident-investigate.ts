import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { ALL, PAGE } from "../../../../admin/declare/paging.ts";
import { NO_MAIL } from "../../../../admin/queue.ts";
import { bundleName, packedEntry, packedText } from "../../../../core/incident/incident.ts";
import type { AccountName } from "../../../../core/net/address.ts";
import { plural } from "../../../../core/text.ts";
import { isoTime, type Millis } from "../../../../core/time.ts";
import { lastLines, runProgram } from "../../../../host/machine/run-program.ts";
import { copyFile, hashOf } from "../../../../host/root-files/copies.ts";
import { removeFile, setAccess } from "../../../../host/root-files/files.ts";
import { makePrivateDirectory } from "../../../../host/root-files/trees.ts";
import { filesBelow, removeTree } from "../../../../host/root-files/walk.ts";
import { collect, copyMails, folderOf, writeInto, writeLines } from "../../../../jobs/incident/folder.ts";
import { printSettings, showSettings } from "../../../../settings/show.ts";
import { type Answer, type Call, done, type Failure, failed, PROGRAM, type Reader } from "../../call.ts";
import { eachPage } from "../../listing.ts";
import { joined, oneLine } from "../../print/text.ts";
import { settingsOf } from "../../server-settings.ts";
import { checkAudit } from "../upkeep/audit.ts";
import { inIncident, recordStep } from "./incident.ts";
import { accountsFrom } from "./incident-contain.ts";

const SEE = "docs/incidents.md says what that means.";
const PACKING_MS = 60 * 60_000;
/** Maximum mails in a bundle; if there are as many, others may be missing. */
const MOST_MAILS = 20_000;

export const incidentInvestigate = inIncident(async (call, incident, since) => {
  const accounts = accountsFrom(call);
  if ("ok" in accounts) return accounts;
  const read = settingsOf(call);
  if (!read.ok) return read;
  const { layout } = call;
  const folder = folderOf(layout, incident);
  const at = isoTime(call.now());
  const scratch = join(folder, "collecting");
  const name = bundleName(at);
  const lacks: string[] = [];
  try {
    removeTree(scratch);
    for (const path of [scratch, join(scratch, "mails")]) makePrivateDirectory(path);
    call.terminal.progress("Collecting logs and configuration ...");
    lacks.push(...(await collect(layout, scratch, { since })));
    writeInto(join(scratch, "conf", "settings.toml"), printSettings(showSettings(read.sources)));
    const opened = await call.reader();
    if (opened.ok) writeDatabases(opened.reader, scratch, since);
    else lacks.push(`events, audit, accounts and aliases: ${opened.message}`);
    call.terminal.progress("Collecting mails ...");
    const ids = await queueIds(call, accounts);
    if ("ok" in ids) lacks.push(`mails in the queue: ${ids.message}`);
    else {
      const kept = copyMails(layout, ids, join(scratch, "mails"));
      if (ids.length >= MOST_MAILS) lacks.push(`mails in the queue: those after the first ${ids.length}`);
      if (kept.length < ids.length)
        lacks.push(`mails in the queue: ${plural(ids.length - kept.length, "mail")} that left it in the meantime`);
    }
    const dropped = join(folder, "mails");
    const mails = existsSync(dropped) ? readdirSync(dropped).map((id) => join("mails", id)) : [];
    for (const one of ["incident.json", "timeline.jsonl", "assessment.json", ...mails])
      if (existsSync(join(folder, one))) copyFile(join(folder, one), join(scratch, one), 0o600);
    if (lacks.length > 0) writeInto(join(scratch, "LACKS.txt"), `${lacks.join("\n")}\n`);
    call.terminal.progress("Packing ...");
    const file = join(folder, name);
    const args = ["-C", scratch, "--sort=name", "--owner=0", "--group=0", "-czf", file, "."];
    const packed = await runProgram("tar", args, { timeoutMs: PACKING_MS });
    if (packed.code !== 0) {
      removeFile(file);
      return failed(`No bundle was made: tar failed: ${lastLines(packed)}.`, "");
    }
    setAccess(file, { mode: 0o600 });
    const [files, sha256] = [filesBelow(scratch).length, hashOf(file) ?? ""];
    const says = packedText(name, { files: plural(files, "file"), sha256 });
    const missing = lacks.map((one) => `Missing: ${one}`);
    const unaudited = await recordStep(call, incident, { step: "investigate", says, lines: missing });
    const keep = "Keep a copy elsewhere, with its SHA-256.";
    const text = [`${file} holds ${plural(files, "file")}.`, `SHA-256: ${sha256}`, ...missing, keep, unaudited];
    return done({ file, files, sha256, lacks }, joined("\n", text), `${PROGRAM} incident verify ${file}`);
  } finally {
    removeTree(scratch);
  }
});

/** Queue ids of all mail of these accounts or, without accounts, of all mail on hold. */
async function queueIds(call: Call, accounts: readonly AccountName[]): Promise<readonly string[] | Failure> {
  const ids: string[] = [];
  for (const account of accounts.length === 0 ? [null] : accounts) {
    const failure = await eachPage(
      null,
      (cursor) => call.guard.ask({ verb: "queue_list", ...NO_MAIL, account, limit: PAGE.most, cursor }),
      ({ items }) => {
        const wanted = account === null ? items.filter(({ queue }) => queue === "hold") : items;
        ids.push(...wanted.map(({ queueId }) => queueId));
        return ids.length < MOST_MAILS;
      },
    );
    if (failure !== null) return failure;
    if (ids.length >= MOST_MAILS) break;
  }
  return ids;
}

function writeDatabases(reader: Reader, to: string, since: Millis): void {
  writeLines(join(to, "events.jsonl"), reader.records(since));
  writeLines(join(to, "audit.jsonl"), reader.audit.all());
  writeLines(join(to, "accounts.jsonl"), accountEvidence(reader));
  writeLines(join(to, "aliases.jsonl"), reader.aliases(ALL).items);
  writeLines(join(to, "tokens.jsonl"), reader.tokens(ALL).items);
}

export async function incidentVerify(call: Call): Promise<Answer> {
  const file = call.args[0] ?? "";
  const sha256 = hashOf(file);
  if (sha256 === null) return failed(`The file ${oneLine(file)} does not exist.`, "");
  const asked = await checkAudit(call, null);
  if (!("checked" in asked)) return asked;
  const { fault } = asked.checked;
  if (fault !== null) return failed(`The audit, which names the bundle, is not consistent: ${fault.says}.`, SEE);
  const opened = await call.reader();
  if (!opened.ok) return opened;
  const found = packedEntry({ name: basename(file), sha256 }, opened.reader.audit.all());
  if ("fault" in found) return failed(`${oneLine(file)} is not the bundle that was packed: ${found.fault}.`, SEE);
  const text = `${oneLine(file)} is the bundle that was packed: entry ${found.entry} of the audit names it.\nSHA-256: ${sha256}`;
  return done({ sha256, ...found }, text);
}

/** Every account, with all settings that let others read its mail. A thief may have made them, and a new password removes some. */
export function accountEvidence(reader: Reader) {
  return reader.accounts(ALL).items.map((row) => ({ ...row, ...reader.own(row.name) }));
}
