import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { accountName } from "../../../../test/kit/samples.ts";
import { DAY_MS, later } from "../../../core/time.ts";

const NAME = "alice@example.test";
const OTHER = "bob@example.test";
const OUTSIDE = "alice@else.example";

const kit = commandsOf(import.meta.filename, NAME, OTHER);

const forward = (name: string, to: readonly string[], keep = true) =>
  kit.ask({ verb: "forward_set", name, to: [...to], keep });

const USER = { as: "7e".repeat(32), ip: "203.0.113.7" };
const signIn = (): void => kit.signIn(USER, accountName(NAME));
/** Sets a forward at the dashboard. */
const forwardBy = (as: typeof USER, to: readonly string[], keep = true) =>
  kit.ask({ verb: "forward_set", name: NAME, to: [...to], keep }, "web", as);

test("mail is forwarded, and each change is recorded", async () => {
  const to = [OUTSIDE, OTHER];
  assert.deepEqual(await forward(NAME, to, false), { ok: true, result: { name: NAME, to, keep: false } });
  assert.deepEqual(await kit.result({ verb: "forwarding", name: NAME }), { to, keep: false });
  await forward(NAME, [OUTSIDE]);
  await forward(NAME, []);
  assert.equal(kit.forwardingOf(NAME), null);
  const forwards = [`to ${OUTSIDE}, ${OTHER}, without a copy here`, `to ${OUTSIDE}`, "no longer"];
  const recorded = forwards.map((says) => `FORWARDING_CHANGED ${NAME} ${says} by root`);
  assert.deepEqual(kit.recorded(/./).slice(2), recorded);
});

test("forwards to a removed alias or account end, which is recorded and reported in the answer", async () => {
  const [info, both, carl] = ["info@example.test", "both@example.test", "carl@example.test"];
  const ends = (target: string) => `FORWARDING_CHANGED ${NAME} no longer to ${target}, which is removed by root`;
  assert.ok((await kit.ask({ verb: "account_create_hashed", name: carl, hash: HASH })).ok);
  assert.ok((await kit.ask({ verb: "alias_add", address: both, targets: [OTHER, carl] })).ok);
  const infoAdd = { verb: "alias_add", address: info, targets: [OTHER] } as const;
  assert.ok((await kit.ask(infoAdd)).ok);
  await forward(OTHER, [OUTSIDE]);
  await forward(NAME, [OUTSIDE, info]);
  const removed = await kit.result({ verb: "alias_remove", address: info });
  assert.deepEqual(removed, { address: info, forwardsEnded: [NAME] });
  assert.deepEqual(kit.recorded(/no longer/), [ends(info)]);
  assert.deepEqual(kit.forwardingOf(NAME)?.to, [OUTSIDE]);
  assert.ok((await kit.ask(infoAdd)).ok);
  assert.ok((await forward(NAME, [OUTSIDE, info, OTHER, both])).ok);
  assert.deepEqual((await kit.result({ verb: "account_remove", name: OTHER })).forwardsEnded, [NAME]);
  assert.deepEqual(kit.recorded(/no longer/).slice(1), [OTHER, info].map(ends), "but its own is not one of them");
  assert.deepEqual(kit.forwardingOf(NAME)?.to, [OUTSIDE, both].toSorted());
});

test("only one of two concurrent forwards that would form a loop is set", async () => {
  const replies = await Promise.all([forward(NAME, [OTHER]), forward(OTHER, [NAME])]);
  assert.equal(replies[0]?.ok, true);
  assert.deepEqual([kit.forwardingOf(NAME)?.to, kit.forwardingOf(OTHER)], [[OTHER], null]);
  assert.match(refusalOf(replies[1] ?? assert.fail()), /would return to it/);
});

test("mail is not forwarded to more addresses than Postfix accepts", async () => {
  const targets = Array.from({ length: 400 }, (_, i) => `a${i}@else.example`);
  for (const address of ["one@example.test", "two@example.test", "three@example.test"])
    for (const i of [0, 100, 200, 300])
      assert.ok((await kit.ask({ verb: "alias_add", address, targets: targets.slice(i, i + 100) })).ok);
  const to = ["one@example.test", "two@example.test", "three@example.test"];
  assert.match(refusalOf(await forward(NAME, to)), /Postfix accepts no mail for more than 1000/);
  signIn();
  assert.ok((await kit.ask({ verb: "alias_add", address: "board@example.test", targets: [NAME] })).ok);
  const hers = await forwardBy(USER, to);
  assert.equal(refusalOf(hers), "Your mail would go to too many addresses.", "not for which address");
  assert.equal(kit.forwardingOf(NAME), null);
});

test("through the web a mailbox that gets the alerts keeps a copy of its mail", async () => {
  kit.signIn(OWNER);
  kit.given.alertsTo = [NAME];
  for (const to of [OUTSIDE, OTHER])
    assert.match(refusalOf(await forwardBy(OWNER, [to], false)), /gets the alerts/, to);
  const outside = await forwardBy(OWNER, [OUTSIDE]);
  assert.match(refusalOf(outside), /gets the alerts/, "nor are they sent to a new target outside");
  assert.ok((await forwardBy(OWNER, [], false)).ok, "that forwards nothing");
  kit.given.alertsTo = [];
  assert.ok((await forwardBy(OWNER, [OUTSIDE])).ok);
  assert.ok((await forwardBy(OWNER, [OUTSIDE], false)).ok);
  assert.deepEqual(kit.details().slice(3), [
    `${NAME} to ${OUTSIDE} by web:admin via 203.0.113.8`,
    `${NAME} to ${OUTSIDE}, without a copy here by web:admin via 203.0.113.8`,
  ]);
});

test("root may forward the alerts outside, even by sudo, and is pointed to its commands", async () => {
  const typed = (by: string, to: string) =>
    kit.ask({ verb: "forward_set", name: NAME, to: [to], keep: true }, "root", { by });
  kit.given.alertsTo = [NAME];
  for (const [by, to] of [
    ["root", OUTSIDE],
    ["root (anna)", "bob@else.example"],
  ] as const) {
    assert.ok((await typed(by, to)).ok, by);
    const wrong = await typed(by, "nobody@example.test");
    assert.ok(!wrong.ok && wrong.next.startsWith("`account list`"), JSON.stringify(wrong));
  }
});

test("through the web, alerts cannot be forwarded outside in several steps either", async () => {
  kit.signIn(OWNER);
  const alias = (address: string, target: string) =>
    kit.ask({ verb: "alias_add", address, targets: [target] }, "web", OWNER);
  kit.given.alertsTo = [NAME, "admin@example.test"];
  assert.ok((await forward(OTHER, [OUTSIDE])).ok);
  assert.ok((await alias("out@example.test", OUTSIDE)).ok);
  assert.ok((await alias("in@example.test", OTHER)).ok);
  for (const to of [OTHER, "out@example.test", "in@example.test"])
    assert.match(refusalOf(await forwardBy(OWNER, [to])), /gets the alerts/, to);
  for (const to of [OTHER, OUTSIDE])
    assert.match(refusalOf(await alias("admin@example.test", to)), /gets the alerts/, to);
  assert.equal(kit.forwardingOf(NAME), null);
  await forward(OTHER, []);
  assert.ok((await forwardBy(OWNER, [OTHER])).ok, "alerts may go to another mailbox here");
});

test("everyone except root adds few targets a day, and a user does not learn which accounts exist", async () => {
  signIn();
  const mine = async (to: readonly string[]): Promise<string> => {
    const reply = await forwardBy(USER, to);
    return reply.ok ? "done" : reply.message.replace(/[\w.]+@[\w.]+/, "X");
  };
  await forward(OTHER, [NAME]);
  await kit.ask({ verb: "alias_add", address: "info@example.test", targets: [OTHER] });
  await kit.ask({ verb: "alias_block", address: "info@example.test", blocked: true });
  const unsaid = new Set<string>();
  for (const target of ["nobody@example.test", OTHER, "info@example.test"]) unsaid.add(await mine([target]));
  assert.deepEqual([...unsaid], ["Your mail cannot be forwarded to X"]);
  assert.equal(await mine(["one@else.example"]), "done");
  const countsUntil = () => Number(/"target":"[a-z]+@else\.example","until":(\d+)/.exec(kit.state())?.[1] ?? 0);
  assert.equal(countsUntil(), later(kit.clock.now(), DAY_MS), "its mail counts as sent while the target is new");
  for (let n = 0; n < 3; n++) assert.equal(await mine(["one@else.example"]), "done", "it is not new");
  assert.equal(await mine(["one@else.example", "two@else.example"]), "done");
  assert.match(await mine(["three@else.example"]), /at most 5 new addresses within a day/);
  assert.equal(await mine([]), "done");
  assert.ok((await forward(NAME, ["three@else.example"])).ok, "root may");
  assert.equal(countsUntil(), 0);
  kit.clock.advance(DAY_MS);
  kit.sessions.end("everybody");
  signIn();
  assert.equal(await mine(["four@else.example"]), "done");
});
