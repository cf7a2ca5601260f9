import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAs } from "../parse-as.ts";
import {
  bundleName,
  type Contents,
  differences,
  entrySchema,
  type Isolation,
  incidentId,
  incidentSchema,
  isIncidentId,
  isolationSchema,
  lifted,
  packedEntry,
  packedText,
} from "./incident.ts";

const AT = "2026-11-20T08:00:00.000Z";

test("an incident is named by its day and its title, in characters that a folder name can have", () => {
  for (const [title, id] of [
    ["Anna was hijacked", "2026-11-20-anna-was-hijacked"],
    ["../../etc/passwd", "2026-11-20-etc-passwd"],
    ["Über “alles” !", "2026-11-20-uber-alles"],
    ["…", "2026-11-20-incident"],
    ["x".repeat(200), `2026-11-20-${"x".repeat(40)}`],
  ] as const) {
    assert.equal(incidentId(title, AT), id);
    assert.ok(isIncidentId(id), id);
  }
  for (const other of ["", "..", "2026-11-20", "2026-11-20-", "2026-11-20-a/b", "2026-11-20-A"])
    assert.ok(!isIncidentId(other), other);
});

test("a written incident and its steps can be read, and nothing else can", () => {
  const incident = { id: incidentId("x", AT), title: "x", openedAt: AT, since: AT, closedAt: null };
  assert.deepEqual(parseAs(incidentSchema, JSON.stringify(incident)), incident);
  const entry = { at: AT, by: "root", step: "note", says: "Called the provider.", lines: [], audited: true };
  assert.deepEqual(parseAs(entrySchema, JSON.stringify(entry)), entry);
  const wrong = [JSON.stringify({ ...entry, step: "guess" }), JSON.stringify({ ...incident, id: 1 })];
  for (const text of ["", "{", "[]", ...wrong])
    assert.deepEqual([parseAs(incidentSchema, text), parseAs(entrySchema, text)], [null, null], text);
});

const TEXT = `{"incident":"2026-11-20-anna","since":"2026-11-20T08:00:00.000Z","allow":["198.51.100.65/32"],"ssh":[22],"shut":["receive","sign-in","send"]}`;

function isolation(text = TEXT): Isolation {
  return parseAs(isolationSchema, text) ?? assert.fail(text);
}

test("a written isolation can be read", () => {
  assert.equal(JSON.stringify(isolation()), TEXT);
  assert.deepEqual(isolation(TEXT.replace("65/32", "65")), isolation());
  const { ssh, shut } = isolation(TEXT.replace("[22]", "[1,65535]").replace(',"sign-in","send"', ""));
  assert.deepEqual([ssh, shut], [[1, 65_535], ["receive"]]);
});

for (const [what, text] of [
  ["no JSON", "{"],
  ["another shape", "[]"],
  ["an empty list of closed directions", TEXT.replace(/\["receive.*\]/, "[]")],
  ["no such part", TEXT.replace("receive", "listen")],
  ["no address", TEXT.replace("198.51.100.65/32", "anna")],
  ["no port", TEXT.replace("[22]", "[70000]")],
  ["port 0", TEXT.replace("[22]", "[0]")],
] as const)
  test(`${what} is refused`, () => assert.equal(parseAs(isolationSchema, text), null));

test("an isolation is lifted part by part, in any order, and is over with the last", () => {
  const receives = lifted(isolation(), ["receive"]);
  assert.deepEqual(receives?.shut, ["sign-in", "send"]);
  assert.deepEqual(lifted(isolation(), ["send", "receive"])?.shut, ["sign-in"]);
  assert.equal(receives && lifted(receives, ["send", "sign-in", "receive"]), null);
});

const [REAL, OTHER] = ["a".repeat(64), "b".repeat(64)];
const BUNDLE = { name: bundleName("2026-11-20T09:15:00.000Z"), sha256: REAL };

const entry = (id: number, subject: string, type = "INCIDENT") => ({ id, type, subject });
const packed = (sha256: string, name = BUNDLE.name): string =>
  `2026-11-20-x investigate: ${packedText(name, { files: "3 files", sha256 })}`;

test("the audit names the step that packed a bundle", () => {
  assert.equal(BUNDLE.name, "bundle-20261120-091500.tar.gz");
  const later = packed(OTHER, "bundle-20261120-101500.tar.gz");
  assert.deepEqual(packedEntry(BUNDLE, [entry(1, later), entry(7, packed(REAL))]), { entry: 7 });
});

test("a note that repeats the words of the step does not count", () => {
  for (const subject of [`2026-11-20-x note: ${packed(REAL)}`, `2026-11-20-x note: ${REAL}`, `${packed(REAL)} x`])
    assert.ok("fault" in packedEntry(BUNDLE, [entry(1, subject)]), subject);
  assert.ok("fault" in packedEntry(BUNDLE, [entry(1, packed(REAL), "BAN")]));
});

test("a changed bundle is found even if a later entry names it", () => {
  const found = packedEntry(BUNDLE, [entry(7, packed(OTHER)), entry(8, packed(REAL))]);
  assert.deepEqual(found, { fault: `its SHA-256 is ${REAL}, but entry 7 of the audit names ${OTHER}` });
});

const contents = (of: Readonly<Record<string, string>>): Contents =>
  new Map(Object.entries(of).map(([key, value]) => [key, { value, shown: key === "password" ? "(secret)" : value }]));

test("everything added, removed or changed is a difference, sorted by name, and no secret is shown", () => {
  const then = contents({ same: "1", password: "old", gone: "2", changed: "3" });
  const now = contents({ new: "5", changed: "4", password: "new", same: "1" });
  assert.deepEqual(differences(then, now), [
    { what: "changed", was: "3", is: "4" },
    { what: "gone", was: "2", is: null },
    { what: "new", was: null, is: "5" },
    { what: "password", was: "(secret)", is: "another" },
  ]);
});
