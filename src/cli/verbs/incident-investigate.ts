import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { bundleName, sealedEntry, sealedText } from "../../core/incident/sealed.ts";
import { plural } from "../../core/text.ts";
import { instant, isoTime, type Millis } from "../../core/time.ts";
import { VERSION } from "../../core/version.ts";
import { printSettings, showSettings } from "../../settings/show.ts";
import { type CommandCall, type CommandFailure, type CommandOutcome, done, failed, PROGRAM } from "../call.ts";
import { dayAndTime, oneLine } from "../print/text.ts";
import type { Reader } from "../reader.ts";
import { checkAudit } from "./audit.ts";
import { accountsFrom } from "./incident-contain.ts";
import { accountEvidence } from "./incident-evidence.ts";
import { isCut, queueIds } from "./incident-mail.ts";
import { settingsOf } from "./server-settings.ts";
import { beginOf, folders, isFailure, openIncidentOf, take } from "./the-incident.ts";

/** `incident investigate [ACCOUNT...]`: a bundle of evidence, sealed. */
export async function incidentInvestigate(call: CommandCall): Promise<CommandOutcome> {
  const incident = await openIncidentOf(call, "incident investigate");
  if (isFailure(incident)) return incident;
  const since = beginOf(call, incident);
  if (typeof since !== "number") return since;
  const accounts = accountsFrom(call);
  if ("ok" in accounts) return accounts;
  const read = settingsOf(call);
  if (!read.ok) return read;
  const [
    { folderOf, prepareFolder },
    { collect, copyMails, writeInto, writeLines },
    { seal },
    { removeTree },
    { copyFile },
  ] = await Promise.all([
    folders(),
    import("../../daemon/incident/collect.ts"),
    import("../../daemon/incident/seal.ts"),
    import("../../adapters/root-files/walk.ts"),
    import("../../adapters/root-files/copies.ts"),
  ]);
  const { layout } = call;
  const folder = folderOf(layout, incident);
  const at = isoTime(instant(call.now()));
  const scratch = join(folder, "collecting");
  const name = bundleName(at);
  const lacks: string[] = [];
  try {
    removeTree(scratch);
    prepareFolder(scratch);
    call.terminal.progress("Collecting logs and configuration ...");
    lacks.push(...(await collect(layout, scratch, { since })));
    writeInto(join(scratch, "conf", "settings.toml"), printSettings(showSettings(read.sources)));
    const opened = await call.reader();
    if (opened.ok) writeDatabases(opened.reader, { to: scratch, since, writeLines });
    else lacks.push(`events, audit, accounts and aliases: ${opened.message}`);
    call.terminal.progress("Collecting mails ...");
    const ids = await queueIds(call, accounts);
    if (isFailure(ids)) lacks.push(`mails in the queue: ${ids.message}`);
    else {
      const kept = copyMails(layout, ids, join(scratch, "mails"));
      if (isCut(ids)) lacks.push(`mails in the queue: those after the first ${ids.length}`);
      if (kept.length < ids.length)
        lacks.push(`mails in the queue: ${plural(ids.length - kept.length, "mail")} that left it meanwhile`);
    }
    for (const one of ["incident.json", "timeline.jsonl", "assessment.json"])
      if (existsSync(join(folder, one))) copyFile(join(folder, one), join(scratch, one), 0o600);
    const dropped = join(folder, "mails");
    for (const id of existsSync(dropped) ? readdirSync(dropped) : [])
      copyFile(join(dropped, id), join(scratch, "mails", id), 0o600);
    if (lacks.length > 0) writeInto(join(scratch, "LACKS.txt"), `${lacks.join("\n")}\n`);
    call.terminal.progress("Sealing ...");
    const host = read.settings.hostname;
    const file = join(folder, name);
    const sealed = await seal(layout, scratch, file, { incident: incident.id, host, at, version: VERSION });
    if (!sealed.ok) return failed(`No bundle was made: ${sealed.reason}.`, "");
    const says = sealedText(name, { ...sealed, files: plural(sealed.files, "file") });
    const unaudited = await take(call, incident, {
      step: "investigate",
      says,
      lines: lacks.map((one) => `It lacks ${one}`),
    });
    const text = [
      `${file} holds ${plural(sealed.files, "file")}.`,
      `Manifest (SHA-256): ${sealed.sha256}`,
      `Signed by (SHA-256): ${sealed.signer}`,
      ...lacks.map((one) => `It lacks ${one}`),
      "Keep a copy elsewhere, and the two numbers with it.",
      ...(unaudited === "" ? [] : [unaudited]),
    ].join("\n");
    return done({ file, ...sealed, lacks }, text, `${PROGRAM} incident verify ${file}`);
  } finally {
    removeTree(scratch);
  }
}

type Write = Readonly<{ to: string; since: Millis; writeLines: (path: string, items: Iterable<unknown>) => void }>;

function writeDatabases(reader: Reader, { to, since, writeLines }: Write): void {
  writeLines(join(to, "events.jsonl"), reader.records(since));
  writeLines(join(to, "audit.jsonl"), reader.audit.all());
  const all = { limit: 1_000_000, cursor: null };
  writeLines(join(to, "accounts.jsonl"), accountEvidence(reader));
  writeLines(join(to, "aliases.jsonl"), reader.aliases(all).items);
  writeLines(join(to, "tokens.jsonl"), reader.tokens(all).items);
}

/** `incident verify BUNDLE` */
export async function incidentVerify(call: CommandCall): Promise<CommandOutcome> {
  const file = call.args[0] ?? "";
  if (!existsSync(file)) return failed(`There is no file ${oneLine(file)}.`, "");
  const { ownFingerprint, verifyBundle } = await import("../../daemon/incident/seal.ts");
  const own = process.getuid?.() === 0 ? ownFingerprint(call.layout) : null;
  const wanted = call.option("signer") ?? own;
  if (wanted === null && process.getuid?.() === 0)
    return failed(
      "This server has no key of its own to compare with.",
      "Name the key that must have signed it: --signer SHA256",
    );
  const verified = await verifyBundle(file, wanted);
  const { manifest, sha256, signer, faults } = verified;
  // The audit of another server knows nothing of it.
  const isOfHere = wanted === own;
  const named = manifest !== null && isOfHere ? await namedInAudit(call, { ...manifest, sha256 }) : { says: "" };
  const found = "fault" in named ? [...faults, named.fault] : faults;
  if (found.length > 0 || manifest === null)
    return {
      ...failed(`${oneLine(file)} is not as it was sealed.`, "docs/incidents.md says what that means."),
      found: { lines: found, json: { ...verified, faults: found } },
    } satisfies CommandFailure;
  const key =
    wanted === null
      ? `It is signed by ${signer}: compare that with what was printed when it was made.`
      : `It is signed by ${signer}, as it shall be.`;
  const text = [
    `${oneLine(file)} is as it was sealed: ${plural(manifest.files.length, "file")} of ${manifest.incident}, ${dayAndTime(manifest.at)}.`,
    key,
    `Manifest (SHA-256): ${sha256}`,
    ...("says" in named && named.says !== "" ? [named.says] : []),
  ].join("\n");
  return done(verified, text);
}

/** Which entry of the audit records this manifest: who signs a changed one again cannot change that. */
async function namedInAudit(
  call: CommandCall,
  bundle: Parameters<typeof sealedEntry>[0],
): Promise<Readonly<{ says: string }> | Readonly<{ fault: string }>> {
  const asked = await checkAudit(call, null);
  if (!("checked" in asked)) return { says: `Whether the audit names it is unknown: ${asked.message}` };
  const { fault } = asked.checked;
  if (fault !== null) return { fault: `the audit, which should name it, does not fit: ${fault.says}` };
  const opened = await call.reader();
  if (!opened.ok) return { says: `Whether the audit names it is unknown: ${opened.message}` };
  const found = sealedEntry(bundle, opened.reader.audit.all());
  return "fault" in found ? found : { says: `The audit of this server names it in entry ${found.entry}.` };
}
