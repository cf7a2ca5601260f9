import { existsSync } from "node:fs";
import type { Anchor } from "../../../../core/audit/chain.ts";
import { messageOf } from "../../../../core/error.ts";
import { asSentence, parseJson, plural } from "../../../../core/text.ts";
import { dayAndTime, isoTime } from "../../../../core/time.ts";
import { appendRecord } from "../../../../host/root-files/record-file.ts";
import { readAnchors } from "../../../../jobs/audit/audit-anchors.ts";
import { type Answer, agrees, type Call, done, failed, PROGRAM, withReader } from "../../call.ts";
import { andMore, emptyText, pageOfReader } from "../../listing.ts";
import { columns, jsonLine } from "../../print/text.ts";

export const auditList = pageOfReader("entries", "numbers", async (_, { audit }, page) => {
  const listed = audit.page(page);
  // `detail` as an object, except text that is not JSON, which is shown unchanged.
  const items = listed.items.map((entry) => ({ ...entry, detail: parseJson(entry.detail) ?? entry.detail }));
  if (items.length === 0) return done(listed, emptyText("The audit has no entry yet.", page));
  const rows = items
    .toReversed()
    .map(({ id, at, actor, type, subject }) => [String(id), dayAndTime(at), actor, type, subject]);
  const more = andMore({ ...listed, shown: items.length }, page.cursor);
  const text = columns([["ENTRY", "TIME", "BY", "TYPE", "SUBJECT"], ...rows]) + more;
  return done({ ...listed, items }, text, `${PROGRAM} audit verify`);
});

export async function auditVerify(call: Call): Promise<Answer> {
  const asked = await checkAudit(call, call.option("anchors"));
  if (!("checked" in asked)) return asked;
  const { checked, unreadable } = asked;
  const { first, last, fault, anchored, head } = checked;
  const json = { first, last, head, anchored, unreadableAnchors: unreadable };
  const lines = unreadable === 0 ? [] : [`${plural(unreadable, "line")} of the anchors cannot be read.`];
  if (fault !== null)
    return failed(`The audit is not consistent: ${fault.says}.`, "docs/audit.md says what to do.", {
      lines,
      json: { ...json, fault },
    });
  const what = last === 0 ? "The audit has no entry yet." : `Entries ${first} to ${last} are consistent.`;
  const until =
    anchored === null
      ? "No anchor confirms them yet: the server makes one each hour."
      : `Root anchored entry ${anchored.id} at ${dayAndTime(anchored.at)}: no earlier one was removed or rewritten.`;
  return done({ ...json, fault }, [what, ...(last === 0 ? [] : [until]), ...lines].join("\n"), `${PROGRAM} audit list`);
}

export async function auditAnchor(call: Call): Promise<Answer> {
  const asked = await checkAudit(call, null);
  if (!("checked" in asked)) return asked;
  const { last: id, head: hash, fault } = asked.checked;
  if (fault !== null) return failed(`The audit is not consistent: ${fault.says}.`, `See \`${PROGRAM} audit verify\`.`);
  if (id === 0) return failed("The audit has no entry yet.", "");
  const anchor = { at: isoTime(call.now()), id, hash };
  return appendAnchor(call, anchor, `Entry ${id} is anchored: ${hash}`);
}

export async function auditAccept(call: Call): Promise<Answer> {
  const asked = await checkAudit(call, null);
  if (!("checked" in asked)) return asked;
  const { last: id, head: hash, sum, numbered, fault } = asked.checked;
  if (fault === null) return done({ accepted: false }, "The audit is consistent: there is nothing to accept.");
  const question = `The audit is not consistent: ${fault.says}. Continue from entry ${id}?`;
  if (!call.flag("yes") && !(await agrees(call, question)))
    return failed(`Nothing was accepted: ${fault.says}.`, "--yes accepts it without a question.");
  const anchor = { at: isoTime(call.now()), id, hash, accepted: { reason: call.args.join(" "), sum, numbered } };
  return appendAnchor(call, anchor, `The audit continues from entry ${id}. The reason is kept among the anchors.`);
}

export const auditExport = withReader(async (call, reader) => {
  for (const entry of reader.audit.all()) call.terminal.out(jsonLine(entry));
  return done(undefined, "");
});

function appendAnchor(call: Call, anchor: Anchor, says: string): Answer {
  try {
    appendRecord(call.layout.auditAnchors, anchor);
  } catch (error) {
    return failed(`The anchor could not be written: ${asSentence(messageOf(error))}`, "");
  }
  return done({ anchor }, says, `${PROGRAM} audit verify`);
}

/** Checks the audit against the anchors in `file`, or those of this server if null. */
export async function checkAudit(call: Call, file: string | null) {
  if (file !== null && !existsSync(file)) return failed(`The file ${file} does not exist.`, "");
  const opened = await call.reader();
  if (!opened.ok) return opened;
  try {
    const { anchors, unreadable } = readAnchors(file ?? call.layout.auditAnchors);
    return { checked: opened.reader.audit.check(anchors, call.now()), unreadable };
  } catch (error) {
    return failed(`The audit cannot be read: ${messageOf(error)}.`, "docs/audit.md says what to do.");
  }
}
