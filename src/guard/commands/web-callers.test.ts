import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, parsedCommandOf } from "../../../test/kit/commands.ts";
import { accountName, ip } from "../../../test/kit/samples.ts";
import { BY, webGateOf } from "../../../test/kit/web-gate-kit.ts";
import { BY_RIGHT, BY_RIGHT_TO_OWN } from "../../../test/kit/web-verbs.ts";
import type { Command } from "../../admin/declare/control.ts";
import { rightsOf } from "../../admin/declare/rights.ts";
import { ROLES, type Scope } from "../../core/access/scopes.ts";
import { PROOF_MS, SESSION_IDLE_MS } from "../../core/access/session.ts";
import { later, MINUTE_MS } from "../../core/time.ts";
import { digestOf } from "../access/secrets.ts";
import { BAN_RUNS } from "./bans.ts";
import { WEB_LIMITS } from "./web/web-bounds.ts";

const IP = "203.0.113.40";
const ANNA = accountName("anna@example.test");
const HERS = { as: "ab".repeat(32), ip: IP };
const WEB_COMMANDS: readonly Command[] = Object.values(COMMANDS).filter(({ verb }) =>
  rightsOf(verb).from.includes("web"),
);

const kit = webGateOf(import.meta.filename);

/** Returns why a command is refused; null if it is admitted. */
function refusal(command: Command, as: Readonly<{ as?: string; ip?: string }>): string | null {
  const admitted = kit.admit(command, as);
  return "error" in admitted ? (admitted.error.denied ?? admitted.error.message) : null;
}

/** The verbs of the commands that this caller is refused for this reason, or if null, of those that are admitted. */
function verbsFor(why: string | null, as: Parameters<typeof refusal>[1], commands = WEB_COMMANDS): readonly string[] {
  const asked = commands.filter((command) => refusal(command, as) === why);
  return asked.map(({ verb }) => verb).toSorted();
}

function tokenWith(scopes: readonly Scope[], expiresInMs: number | null = null) {
  const secret = `gi_${scopes.join("")}`;
  const digest = digestOf(secret);
  const at = kit.clock.now();
  const expiresAt = expiresInMs === null ? null : later(at, expiresInMs);
  const token = { name: `t${scopes.join("-")}`, digest, scopes, by: "root", at, expiresAt };
  assert.ok(kit.credentials.createToken(token).ok);
  return { as: secret, ip: IP };
}

/** Uses the owner's session, or this secret, from this address. */
function useFrom(from: string, as = "5e".repeat(32)): string | null {
  return refusal({ verb: "caller", isUse: true }, { as, ip: from });
}

/** Whether this address is spared a ban because an administrator works there. */
async function isSpared(target: string): Promise<boolean> {
  const command = { verb: "ban", target: ip(target), note: "", for: null } as const;
  return !(await BAN_RUNS.ban(kit, command, "root")).ok;
}

test("without a secret, or with a made-up or expired one, a caller can only sign in", () => {
  const expired = tokenWith(ROLES.owner, MINUTE_MS);
  kit.clock.advance(MINUTE_MS);
  for (const as of [{}, { ip: IP }, { as: "", ip: IP }, { as: "ab".repeat(32), ip: IP }, expired])
    for (const command of WEB_COMMANDS) {
      const expected = rightsOf(command.verb).needs === "nothing" ? null : "unauthorized";
      assert.equal(refusal(command, as), expected, `${command.verb} ${JSON.stringify(as)}`);
    }
  assert.deepEqual(kit.refused(), [], "strangers and old scripts can cause this, so it is not a break-in");
});

test("a hold or release of unnamed mail needs a fresh proof, because it may be all mail", () => {
  const token = tokenWith(["queue"]);
  for (const command of [COMMANDS.queue_hold, COMMANDS.queue_release]) {
    assert.equal(refusal(command, token), null);
    for (const isAll of [true, false]) assert.equal(refusal({ ...command, ids: [], isAll }, token), "proof_needed");
  }
});

test("the stored digest of a secret does not work as the secret", () => {
  const { as } = tokenWith(["read"]);
  const ask = (shown: string) => refusal({ verb: "caller", isUse: true }, { as: shown, ip: IP });
  assert.equal(ask(as), null);
  assert.equal(ask(digestOf(as)), "unauthorized");
});

test("a role may do what its scopes allow, verb by verb", () => {
  const mayDo = (role: keyof typeof ROLES) => verbsFor(null, tokenWith(ROLES[role]));
  const viewer: readonly string[] = [...BY_RIGHT.anyone, ...BY_RIGHT.viewer];
  const operator = [...viewer, ...BY_RIGHT.operator];
  assert.deepEqual(mayDo("viewer"), viewer.toSorted());
  assert.deepEqual(mayDo("operator"), operator.toSorted());
  assert.deepEqual(mayDo("owner"), [...operator, ...BY_RIGHT.owner].toSorted(), "a token proves nothing");
});

test("a session's owner may do everything while the proof is fresh, and afterwards only what needs no proof", () => {
  const as = { as: "ef".repeat(32), ip: IP };
  kit.signInAs(as.as);
  const refused = () => verbsFor("proof_needed", as);
  kit.clock.advance(PROOF_MS - 1);
  assert.deepEqual(refused(), []);
  kit.clock.advance(1);
  assert.deepEqual(refused(), BY_RIGHT.proven.toSorted());
  kit.sessions.prove(digestOf(as.as), kit.clock.now());
  assert.deepEqual(refused(), []);
});

test("the user of a mailbox has the commands for that mailbox, and no others", () => {
  kit.signInAs(HERS.as, ANNA);
  const needing = (right: string) =>
    WEB_COMMANDS.map(({ verb }) => verb).filter((verb) => rightsOf(verb).needs === right);
  const own = needing("mailbox");
  const mayDo = [...needing("nothing"), ...own, "caller", "prove", "sign_out"].toSorted();
  assert.deepEqual(own.toSorted(), BY_RIGHT.mailbox);
  assert.deepEqual(verbsFor(null, HERS), mayDo);
  assert.equal(verbsFor("not_allowed", HERS).length, WEB_COMMANDS.length - mayDo.length);
  for (const verb of own) assert.doesNotMatch(Object.keys(COMMANDS[verb]).join(), /account|name|target/, verb);
  assert.partialDeepStrictEqual(kit.admit(COMMANDS.my_mailbox, HERS), { by: `mailbox:${ANNA} via ${IP}` });
  for (const other of [tokenWith(ROLES.owner), { as: "5e".repeat(32), ip: IP }])
    assert.equal(refusal(COMMANDS.my_mailbox, other), "not_allowed", "an administrator has no mailbox");
  kit.shutMailboxes();
  for (const command of [COMMANDS.my_mailbox, COMMANDS.caller]) assert.equal(refusal(command, HERS), "unauthorized");
});

test("a mailbox user has a few of the commands that name a mailbox, some of them only while the proof is fresh", () => {
  kit.signInAs(HERS.as, ANNA);
  const naming = WEB_COMMANDS.flatMap((command) => {
    const addresses = Object.entries(command).filter(([, value]) => typeof value === "string" && value.includes("@"));
    const own: Command = { ...command, ...Object.fromEntries(addresses.map(([field]) => [field, ANNA])) };
    return addresses.length > 0 && rightsOf(command.verb).needs !== "nothing" ? [own] : [];
  });
  assert.ok(naming.length > 20);
  const { free, proven } = BY_RIGHT_TO_OWN;
  assert.deepEqual(verbsFor(null, HERS, naming), [...free, ...proven].toSorted());
  kit.clock.advance(PROOF_MS);
  assert.deepEqual([verbsFor(null, HERS, naming), verbsFor("proof_needed", HERS, naming)], [free, proven]);
  assert.equal(verbsFor("not_allowed", HERS, naming).length, naming.length - free.length - proven.length);
});

test("addresses of mailbox users are banned like any other", async () => {
  kit.signInAs(HERS.as, ANNA);
  assert.equal(refusal(COMMANDS.my_mailbox, HERS), null);
  assert.ok(!(await isSpared(IP)));
});

test("the guard names the actor, whatever the web says, and needs the caller's address", () => {
  const command = COMMANDS.ban;
  const line = { as: "5e".repeat(32), ip: "203.0.113.9", command: parsedCommandOf(command), by: "root" };
  assert.partialDeepStrictEqual(kit.gate.admit(line, "web"), { by: BY });
  assert.partialDeepStrictEqual(kit.admit(COMMANDS.sign_in, {}), { by: "web:unnamed" });
  assert.partialDeepStrictEqual(kit.admit(command, tokenWith(["ban"])), { by: `web:token tban via ${IP}` });
  const lacks = kit.admit(COMMANDS.token_create, tokenWith(["allow"]));
  assert.partialDeepStrictEqual(lacks, { error: { message: "The token tallow lacks the scope admin." } });
  for (const from of ["nowhere", "", undefined])
    assert.match(refusal(command, { as: line.as, ...(from !== undefined && { ip: from }) }) ?? "", /No address/);
});

test("using a session prolongs it, but a stream's check does not", () => {
  const as = { as: "5e".repeat(32), ip: IP };
  const ask = (isUse: boolean) => refusal({ verb: "caller", isUse }, as);
  kit.clock.advance(SESSION_IDLE_MS - 1);
  assert.equal(ask(false), null);
  kit.clock.advance(1);
  assert.equal(ask(false), "unauthorized");
  kit.signInAs("aa".repeat(32));
  const other = { as: "aa".repeat(32), ip: IP };
  kit.clock.advance(SESSION_IDLE_MS - 1);
  assert.equal(refusal({ verb: "caller", isUse: true }, other), null);
  kit.clock.advance(SESSION_IDLE_MS - 1);
  assert.equal(refusal({ verb: "caller", isUse: true }, other), null);
});

test("spares a bounded number of addresses as an administrator's, and never a stranger's", async () => {
  assert.equal(useFrom("198.51.100.99", "0".repeat(64)), "unauthorized");
  assert.ok(!(await isSpared("198.51.100.99")));
  for (let i = 0; i < WEB_LIMITS.administrators; i++) assert.equal(useFrom(`198.51.100.${i}`), null);
  assert.equal(useFrom("198.51.100.200"), null, "it is carried out anyway");
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(kit.refused(), ["caller by web:admin via 198.51.100.200"]);
  assert.ok(await isSpared("198.51.100.0"));
  assert.ok(!(await isSpared("198.51.100.200")));
  kit.clock.advance(30 * MINUTE_MS - 1);
  useFrom("198.51.100.200");
  assert.ok(!(await isSpared("198.51.100.200")));
  kit.clock.advance(1);
  useFrom("198.51.100.200");
  assert.ok(await isSpared("198.51.100.200"));
});

test("a token that may change no ban spares no address either", async () => {
  const tokens: readonly (readonly [readonly Scope[], string, boolean])[] = [
    [ROLES.viewer, "198.51.100.1", false],
    [["read", "queue"], "198.51.100.2", false],
    [ROLES.operator, "198.51.100.3", true],
    [ROLES.owner, "198.51.100.4", true],
  ];
  for (const [scopes, from, spares] of tokens) {
    assert.equal(useFrom(from, tokenWith(scopes).as), null);
    assert.equal(await isSpared(from), spares, scopes.join());
  }
});
