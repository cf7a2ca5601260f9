import assert from "node:assert/strict";
import { test } from "node:test";
import { typed } from "../../../test/kit/typed-command.ts";
import { verbs } from "../../admin/declare/control.ts";
import { wrongWord } from "./derived.ts";

const EVERY_NAME =
  "stands for every name of the domain, and would receive mail to every name that a spammer tries: add an alias for each name you give away; mail to anna+shop@ reaches anna@ without one.";
const END = "2026-11-21T07:00:00.000Z";
const MANY = Array.from({ length: 101 }, (_, i) => `AAAAA${i}`);

for (const [line, says] of [
  ["queue list --account anna", '"anna" is not an account name such as anna@example.org.'],
  ["queue hold --sender bob", '"bob" is not a mail address such as anna@example.org.'],
  ["queue release --recipient @example.net", '"@example.net" is not a mail address such as anna@example.org.'],
  ["queue flush 4Wxyz12AbCz1 ../x", '"../x" is not a queue id such as 4Wxyz12AbCz1.'],
  ["queue delete 4Wxyz1-4Wxyz2 --yes", '"4Wxyz1-4Wxyz2" is not a queue id such as 4Wxyz12AbCz1.'],
  [`queue hold ${MANY.join(" ")}`, `"${MANY.join(" ").slice(0, 79)}…" has more than 100 entries.`],
  ["token create nightly --for soon", '"soon" is not a time such as 30m, 2h or 7d.'],
  ["alias add *@example.org anna@example.org", `"*@example.org" ${EVERY_NAME}`],
  ["alias add @example.org anna@example.org", `"@example.org" ${EVERY_NAME}`],
  ["alias add info@example.org bob", '"bob" is not a mail address such as anna@example.org.'],
  [
    `account vacation anna@example.org ${"x".repeat(8_001)}`,
    `"${"x".repeat(79)}…" is not a text of 1 to 4000 characters, without control characters.`,
  ],
  ["account forward anna@example.org ", '"" is not a mail address such as anna@example.org.'],
] as const)
  test(`a wrong value is quoted (cut if long), and the guard is not asked: ${line.slice(0, 60)}`, async () => {
    const { code, err, asked } = await typed(line, () => assert.fail("the guard was asked"));
    const name = line.split(" ").slice(0, 2).join(" ");
    assert.deepEqual([code, err, asked], [2, `${says} See \`./ghostinbox help ${name}\`.\n`, []]);
  });

for (const line of ["alias list", "allow list", "greylist list", "session list", "spam allow list", "token list"])
  test(`shows up to 10000 entries, and says when a cursor is the last: ${line}`, async () => {
    const { code, out } = await typed(`${line} --limit 10000 --cursor 9`, (command) => {
      // As the guard checks it.
      assert.equal(verbs.get(command.verb)?.schema().safeParse(command).error, undefined);
      return { ok: true, result: { items: [], next: null, total: 0 } };
    });
    assert.deepEqual([code, out.split("\n")[0]], [0, "No further entries."]);
  });

test("unban says what is still banned around or within the network, and names the next command", async () => {
  for (const [still, says, next] of [
    [
      { around: "192.0.2.0/24", within: 2 },
      "The ban of 192.0.2.1 is lifted, but its network 192.0.2.0/24 is still banned.",
      "unban 192.0.2.0/24",
    ],
    [{ within: 1 }, "192.0.2.1 is no longer banned, but 1 ban within it is still in force.", "bans"],
    [{}, "192.0.2.1 is no longer banned.", "allow add 192.0.2.1   # never ban it again"],
  ] as const) {
    const result = { prefix: "192.0.2.1/32", ...still };
    const { out, err } = await typed("unban 192.0.2.1", () => ({ ok: true, result }));
    assert.deepEqual([out, err], [`${says}\n`, `Next: ./ghostinbox ${next}\n`]);
  }
});

test("allow add says what is kept of a previous entry, and how to shorten it", async () => {
  for (const [kept, says, next] of [
    [{ keptEnd: null, keptNote: "office" }, "stays allowed without an end. Its note stays: office.", /allow remove /],
    [{ keptEnd: END }, "stays allowed until 2026-11-21 07:00:00 UTC, as before.", /allow remove 192\.0\.2\.1 /],
    [{}, "will not be banned for the next 1h.", /allow list/],
  ] as const) {
    const result = { prefix: "192.0.2.1/32", lifted: [], liftedTotal: 0, ...kept };
    const { out, err } = await typed("allow add 192.0.2.1 --for 1h", () => ({ ok: true, result }));
    assert.equal(out, `192.0.2.1 ${says}\n`);
    assert.match(err, next);
  }
});

for (const time of ["", " --for permanent"])
  test(`without an end, allow add${time} says that the address is never banned`, async () => {
    const result = { prefix: "192.0.2.1/32", lifted: [], liftedTotal: 0 };
    const { out } = await typed(`allow add 192.0.2.1${time}`, () => ({ ok: true, result }));
    assert.equal(out, "192.0.2.1 is never banned from now on.\n");
  });

test("a wrong value that was not typed is not quoted, because it may be secret", () => {
  const command = { verb: "token_create", name: "nightly", digest: "secret", scopes: ["read"], for: "soon" };
  assert.equal(wrongWord(command, new Set(["nightly"])), null);
  assert.equal(wrongWord(command, new Set(["nightly", "soon"])), '"soon" is not a time such as 30m, 2h or 7d.');
  assert.equal(wrongWord({ ...command, digest: "0".repeat(64), for: null }, new Set(["nightly", "soon"])), null);
  assert.equal(wrongWord({ verb: "frobnicate" }, new Set(["frobnicate"])), null);
});
