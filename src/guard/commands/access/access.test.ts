import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS } from "../../../../test/kit/commands.ts";
import { dashboardOf, HASH, PASSWORD } from "../../../../test/kit/commands-kit.ts";
import { TOKEN } from "../../../../test/kit/fake-guard.ts";
import { accountName } from "../../../../test/kit/samples.ts";
import type { Command } from "../../../admin/declare/control.ts";
import { PROOF_MS } from "../../../core/access/session.ts";
import { DAY_MS } from "../../../core/time.ts";

const IP = "203.0.113.7";
const ANNA = accountName("owner@example.test");

const kit = dashboardOf(import.meta.filename);

test("a token is created and revoked by its name, which is plain and short", async () => {
  const create = (name: string) => kit.said({ ...COMMANDS.token_create, name });
  const longest = "a".repeat(64);
  assert.deepEqual(await kit.result({ ...COMMANDS.token_create, name: longest }), { name: longest });
  for (const wrong of ["", `${longest}a`, "a b", "ä"]) assert.match(await create(wrong), /^usage /, wrong);
  assert.match(await create(longest), /^failed /);
  assert.ok((await kit.ask({ verb: "token_revoke", name: longest })).ok);
  assert.match(await kit.said({ verb: "token_revoke", name: longest }), /^failed There is no token .* `token list`/);
  assert.deepEqual(kit.types().slice(1), ["TOKEN_CREATED", "TOKEN_REVOKED"]);
});

test("the record of a new token has its rights and its expiry", async () => {
  const make = (name: string, scopes: string[], lasts: string | null) =>
    kit.ask({ ...COMMANDS.token_create, name, digest: name.padEnd(64, "0"), scopes, for: lasts });
  const made = make("a", ["viewer"], "90d");
  assert.equal((await result({ verb: "token_list", limit: 9, cursor: null })).total, 0, "the record comes first");
  assert.ok((await made).ok);
  assert.ok((await make("b", ["read", "ban"], null)).ok);
  const end = new Date(kit.clock.now() + 90 * DAY_MS).toISOString();
  assert.deepEqual(kit.details().slice(1), [`a (read, until ${end}) by root`, "b (read,ban, does not expire) by root"]);
});

test("the dashboard's password is changed, hashed, and the change is recorded", async () => {
  assert.deepEqual(await kit.ask({ verb: "admin_set_hash", hash: HASH }), { ok: true, result: { done: true } });
  assert.deepEqual(kit.details().slice(1), ["admin by root"]);
});

const result = <C extends Command>(command: C, as?: Readonly<{ as: string; ip: string }>) =>
  kit.result(command, as === undefined ? "root" : "web", as);

async function signIn() {
  const command = { verb: "sign_in", ip: IP, password: PASSWORD, device: "Firefox on Linux", known: null } as const;
  const opened = await kit.result(command, "web");
  assert.ok(opened.outcome === "in");
  return { as: opened.secret, ip: IP };
}

async function ids(): Promise<readonly string[]> {
  const listed = await result({ verb: "session_list", limit: 50, cursor: null });
  return listed.items.map(({ id }) => id);
}

test("a session is ended by signing out, by its id, or with all others; each end and each proof is recorded with the actor", async () => {
  const [first, second, third] = [await signIn(), await signIn(), await signIn()];
  const isOpen = async (as: typeof first) => (await kit.ask({ verb: "caller", isUse: true }, "web", as)).ok;
  await result({ verb: "prove", password: PASSWORD }, first);
  await result({ verb: "sign_out" }, first);
  assert.equal(await isOpen(first), false);
  assert.equal(await isOpen(third), true);
  assert.equal((await ids()).length, 2);
  assert.deepEqual(await result({ verb: "session_end_all" }, second), { ended: 1 });
  assert.equal(await isOpen(third), false);
  const [own = ""] = await ids();
  assert.deepEqual(await result({ verb: "session_end", id: own }), { ended: 1 });
  assert.equal((await kit.ask({ verb: "session_end", id: own })).ok, false);
  assert.deepEqual(await result({ verb: "session_end_all" }), { ended: 0 });
  const web = `by web:admin via ${IP}`;
  const recorded = kit.recorded(/^SESSION_/);
  const [, id] = /^SESSION_PROVED ([0-9a-f]{12}) /.exec(recorded[0] ?? "") ?? [];
  assert.deepEqual(recorded, [
    `SESSION_PROVED ${id} ${web}`,
    `SESSION_ENDED ${id} ${web}`,
    `SESSION_ENDED 1 session, all but its own ${web}`,
    `SESSION_ENDED ${own} by root`,
    "SESSION_ENDED 0 sessions by root",
  ]);
});

test("lists the mailbox of each session; each ends by its id, even when the owner asks in the dashboard", async () => {
  const own = await signIn();
  for (const byte of ["0e", "0f"]) kit.signIn({ as: byte.repeat(32), ip: IP }, ANNA);
  const listed = await result({ verb: "session_list", limit: 2, cursor: null });
  assert.equal(listed.total, 3);
  assert.partialDeepStrictEqual(listed.items, [{ account: null }, { account: ANNA }]);
  const asOwner = JSON.stringify(await result({ verb: "session_list", limit: 9, cursor: null }, own));
  assert.equal(asOwner.match(/"isOwn":true/g)?.length, 1);
  assert.deepEqual(await result({ verb: "session_end", id: "0e0e0e0e0e0e" }, own), { ended: 1 });
  assert.deepEqual(await result({ verb: "session_end_all" }, own), { ended: 0 }, "only the administrator's");
  assert.deepEqual(await result({ verb: "session_end", id: "0f0f0f0f0f0f" }), { ended: 1 });
  assert.equal((await ids()).length, 1);
});

test("a proof expires after ten minutes, and the right password renews it", async () => {
  const as = await signIn();
  kit.clock.advance(PROOF_MS);
  const create = () => kit.ask(COMMANDS.token_create, "web", as);
  assert.partialDeepStrictEqual(await create(), { ok: false, denied: "proof_needed" });
  assert.equal((await result({ verb: "prove", password: "wrong" }, as)).outcome, "wrong");
  const proved = await result({ verb: "prove", password: PASSWORD }, as);
  assert.ok(proved.outcome === "proved");
  assert.notEqual(proved.caller.freshUntil, null);
  assert.ok((await create()).ok);
  const token = { as: TOKEN, ip: IP };
  assert.match(await kit.said({ verb: "prove", password: PASSWORD }, "web", token), /token cannot/);
});
