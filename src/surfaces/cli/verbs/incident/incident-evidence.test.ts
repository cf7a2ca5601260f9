import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeMailQueue, queuedMails, SENDMAIL } from "../../../../../test/kit/mail-queue.ts";
import { ip } from "../../../../../test/kit/samples.ts";
import { connected, readerWith, scriptCall } from "../../../../../test/kit/script-world.ts";
import { START } from "../../../../../test/kit/test-database.ts";
import { commandLineOf } from "../../../../../test/kit/test-guard.ts";
import { row } from "../../../../core/events/columns.ts";
import type { EventRecord } from "../../../../core/events/event.ts";
import { isoTime, later } from "../../../../core/time.ts";
import type { Outcome } from "../../../../guard/ports.ts";
import { keepIsolation } from "../../../../host/firewall/isolation.ts";
import { appendEntry, openIncident, readIncidents, readTimeline } from "../../../../jobs/incident/folder.ts";
import { openAccounts, openEngine } from "../../../../store/open.ts";
import { failed } from "../../call.ts";
import { openReader } from "../../open-reader.ts";
import { incidentClose } from "./incident.ts";
import { incidentContain } from "./incident-contain.ts";
import { accountEvidence } from "./incident-investigate.ts";
import { incidentIsolate } from "./incident-isolate.ts";
import { incidentSent, incidentTell } from "./incident-mail.ts";

const { layout } = commandLineOf(import.meta.filename);
const AT = isoTime(START);
const ISOLATION = { incident: "2026-11-20-x", since: "", allow: [], ssh: [22] };
const { guard } = connected({ guard: { ask: () => Promise.resolve(failed("It is down.", "")) } });

test("the evidence has forwards and the names of app passwords, but no secret", () => {
  using accounts = openAccounts(layout.accountsDb);
  openEngine(layout.engineDb).close();
  accounts.exec(`
    INSERT INTO account (name, password, created_at) VALUES
      ('anna@example.org', '{ARGON2ID}one', 0), ('bert@example.org', '{ARGON2ID}two', 0);
    INSERT INTO app_password (account, name, digest, proof, made_by, made_at)
      VALUES ('anna@example.org', 'phone', 'digest', '0abc', 'web:anna@example.org', 0);
    INSERT INTO forward (account, target) VALUES ('anna@example.org', 'eve@evil.example');
    INSERT INTO vacation (account, subject, text) VALUES ('anna@example.org', '', 'Write to eve@evil.example.')`);
  const opened = openReader(layout);
  assert.ok(opened.ok);
  const found = accountEvidence(opened.reader);
  const made = { name: "phone", madeAt: "1970-01-01T00:00:00.000Z", madeBy: "web:anna@example.org", usedAt: null };
  const reply = { subject: "", text: "Write to eve@evil.example.", until: null };
  const rows = found.map(({ name, appPasswords, forwarding, vacation }) => [name, appPasswords, forwarding, vacation]);
  assert.deepEqual(rows, [
    ["anna@example.org", [made], { to: ["eve@evil.example"], keep: false }, reply],
    ["bert@example.org", [], null, null],
  ]);
  assert.doesNotMatch(JSON.stringify(found), /ARGON|digest|0abc/);
});

const MESSAGE = { event: "MESSAGE", session: "", transaction: "t", recipientCount: 1 } as const;
const SENT = { event: "MAIL_TRIED", outcome: "sent", relay: "", reply: "" } as const;

test("no one gets the same notice twice, whatever the spelling of the account or recipient", async () => {
  const incident = openIncident(layout, { title: "Anna", openedAt: AT, since: AT });
  const says = "1 recipient was informed that the owner of anna@example.org did not write the mail they received.";
  appendEntry(layout, incident, { at: AT, by: "root", step: "tell", says, lines: ["bert@away.test"], audited: true });
  const reader = readerOf("anna@example.org", { type: "EMAIL", verdict: "pass" }, ["Bert@away.test", "bert@Away.test"]);
  const answer = await incidentTell(scriptCall({ layout, args: ["Anna@Example.org"], reader }));
  assert.equal(answer.ok && answer.text, "No one is left to notify. 1 recipient was already informed.");
});

test(
  "a held mail that left later is listed with whom it reached, who get the previewed mail with ASCII headers",
  SENDMAIL,
  async () => {
    makeMailQueue(layout);
    openIncident(layout, { title: "Carl", openedAt: AT, since: AT });
    const template = join(layout.data, "template");
    writeFileSync(template, "Über eine Mail, die nicht von {account} war\n\nSie war gefälscht.\n");
    const reader = readerOf("carl@example.org", { type: "EMAIL_HELD", verdict: "hold" });
    const option = (name: string) => (name === "template" ? template : null);
    const call = { layout, args: ["carl@example.org"], reader, guard, option };
    const listed = await incidentSent(scriptCall(call));
    assert.match(listed.ok ? listed.text : "", /^Q1 +carl@example\.org .* 1 of 1 +/m);
    const previewed = await incidentTell(scriptCall(call));
    const send = `./ghostinbox incident tell carl@example.org --template ${template} --send `;
    assert.ok(previewed.ok && previewed.next?.startsWith(send), JSON.stringify(previewed));
    keepIsolation(layout, { ...ISOLATION, shut: ["sign-in"] });
    const told = await incidentTell(scriptCall({ ...call, flags: ["send", "yes"] }));
    assert.match(told.ok ? told.text : "", /not in the audit: It is down\.$/);
    const [queued = ""] = queuedMails(layout);
    assert.match(queued, /Subject: =\?UTF-8\?B\?/);
  },
);

test("a notice that another command sends while the question is open is not sent again", SENDMAIL, async () => {
  makeMailQueue(layout);
  const incident = openIncident(layout, { title: "Fay", openedAt: AT, since: AT });
  const reader = readerOf("fay@example.org", { type: "EMAIL", verdict: "pass" }, [
    "a@away.test",
    "B@away.test",
    "b@away.test",
  ]);
  const says = "1 recipient was informed that the owner of fay@example.org did not write the mail they received.";
  const other = { at: AT, by: "root", step: "tell", says, lines: ["a@away.test"], audited: true } as const;
  const ask = () => {
    appendEntry(layout, incident, other);
    return Promise.resolve("y");
  };
  const call = { layout, args: ["fay@example.org"], reader, guard, flags: ["send"] };
  keepIsolation(layout, { ...ISOLATION, shut: ["send"] });
  const answer = await incidentTell(scriptCall({ ...call, terminal: { interactive: true, ask } }));
  assert.partialDeepStrictEqual(answer, { ok: true, json: { to: ["b@away.test"], sent: 1 } });
  assert.match(answer.ok ? answer.text : "", /wait until `\.\/ghostinbox incident recover --lift send`\.$/);
  assert.equal(queuedMails(layout).length, 1);
});

test("recipients are recorded every 100 mails; after Ctrl-C a repeat sends only to others", SENDMAIL, async () => {
  makeMailQueue(layout);
  const incident = openIncident(layout, { title: "Dora", openedAt: AT, since: AT });
  const to = Array.from({ length: 102 }, (_, nth) => `r${nth}@away.test`);
  const reader = readerOf("dora@example.org", { type: "EMAIL", verdict: "pass" }, to);
  const interruption = new AbortController();
  const timeline = join(layout.incidents, incident.id, "timeline.jsonl");
  const counts: number[] = [];
  const ask = () => {
    if (counts.length === 1) {
      renameSync(timeline, `${timeline}.kept`);
      mkdirSync(timeline);
    }
    counts.push(queuedMails(layout).length);
    interruption.abort();
    return Promise.resolve(failed("It is down.", ""));
  };
  const { guard: counting } = connected({ guard: { ask } });
  const call = { layout, args: ["dora@example.org"], reader, guard: counting, flags: ["send", "yes"] };
  const terminal = { interrupted: interruption.signal };
  const first = await incidentTell(scriptCall({ ...call, terminal }));
  const stopped =
    /^100 recipients were informed .* not in the audit: It is down\. Then it stopped: it was interrupted\.$/;
  assert.match(first.ok ? "" : first.message, stopped);
  const unrecorded = await incidentTell(scriptCall(call));
  const again = /Then it stopped: the timeline cannot be written \(EISDIR.*\)\.$/;
  assert.match(unrecorded.ok ? "" : unrecorded.message, again);
  rmdirSync(timeline);
  renameSync(`${timeline}.kept`, timeline);
  await incidentTell(scriptCall(call));
  assert.deepEqual(counts, [100, 102, 104]);
  const entries = readTimeline(layout, incident);
  assert.deepEqual(
    entries.flatMap(({ lines }) => lines),
    to,
  );
  assert.match(entries[1]?.says ?? "", /^2 recipients were informed .* 100 recipients were already informed\.$/);
});

test("a new password is printed before the next step; if printing fails, it is in the error", async () => {
  const incident = openIncident(layout, { title: "Eve", openedAt: AT, since: AT });
  const order: string[] = [];
  const ask = ({ verb }: Readonly<{ verb: string }>) => {
    order.push(verb);
    return Promise.resolve(failed("It is down.", ""));
  };
  const { guard: noting } = connected({ guard: { ask } });
  const call = { layout, flags: ["yes", "dashboard", "tokens"], reader: readerWith({}), guard: noting };
  const contained = async (outcome: Outcome) => {
    const outForGood = (text: string) => {
      order.push(text);
      return Promise.resolve(outcome);
    };
    const answer = await incidentContain(scriptCall({ ...call, terminal: { outForGood } }));
    return answer.ok ? [] : (answer.found?.lines ?? []);
  };
  const shown = await contained({ ok: true });
  const [, secret = ""] =
    /^Shown only once:\ndashboard {2}(\S+) {2}\(setting it failed, .*\)\n\n$/.exec(order[2] ?? "") ?? [];
  assert.deepEqual(order.toSpliced(2, 1), ["admin_set_hash", "factors_reset", "record", "token_list", "record"]);
  assert.ok(secret !== "" && !shown.join("\n").includes(secret));
  const unshown = await contained({ ok: false, reason: "it is full" });
  assert.match(unshown.join("\n"), /^Could not be printed \(it is full\): dashboard {2}\S+/m);
  assert.doesNotMatch(JSON.stringify(readTimeline(layout, incident)), /dashboard {2}/);
  const answer = await incidentContain(scriptCall({ ...call, json: true }));
  assert.match(JSON.stringify(answer), /"printed":\["dashboard {2}/);
});

test("an incident is closed before its audit entry is awaited, and a closed one isolates nothing", async () => {
  const at = isoTime(later(START, 1));
  const incident = openIncident(layout, { title: "Gus", openedAt: at, since: at });
  const open: unknown[] = [];
  const record = () => {
    open.push(...readIncidents(layout).filter(({ id, closedAt }) => id === incident.id && closedAt === null));
    return Promise.resolve(failed("It is down.", ""));
  };
  const { guard: recording } = connected({ guard: { ask: record } });
  const ask = async () => {
    assert.ok((await incidentClose(scriptCall({ layout, guard: recording }))).ok);
    // Unreadable, so that a faulty command stops before the firewall.
    mkdirSync(layout.isolation);
    return "y";
  };
  const option = (name: string) => (name === "allow" ? "203.0.113.7" : null);
  const call = { layout, guard: recording, flags: ["shut-ssh"], option, terminal: { interactive: true, ask } };
  const answer = await incidentIsolate(scriptCall(call));
  rmdirSync(layout.isolation);
  assert.deepEqual(open, []);
  assert.match(answer.ok ? "" : answer.message, /^The incident 2026-11-20-gus was closed\.$/);
});

/** A reader with one mail of this account, which reached Bert or these recipients. */
function readerOf(account: string, decided: Readonly<Pick<EventRecord, "type" | "verdict">>, to = ["bert@away.test"]) {
  const mail = { at: START, ip: ip("203.0.113.7"), account, queueId: "Q1", sender: account, ...decided };
  return readerWith({
    // Like the real reader's records, these can be iterated only once.
    records: function* () {
      yield row(mail, MESSAGE);
      for (const recipient of to) yield row({ at: START, type: "EMAIL", queueId: "Q1", recipient }, SENT);
    },
  });
}
