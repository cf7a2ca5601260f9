import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsOf, HASH, OWNER, refusalOf } from "../../../../test/kit/commands-kit.ts";
import { accountsOnMemory } from "../../../../test/kit/engine-kit.ts";
import { accountName, mailAddress } from "../../../../test/kit/samples.ts";
import { instant } from "../../../core/time.ts";
import { getsAlerts, isPostmaster } from "./accounts.ts";

const ALICE = "alice@example.test";

const kit = commandsOf(import.meta.filename, ALICE);

test("an account is suspended, resumed and removed; its sessions end when it loses rights; every change is recorded", async () => {
  const passwordHash = "0a0a";
  assert.equal(await kit.said({ verb: "account_set_hash", name: ALICE, hash: HASH, passwordHash }), "done");
  const isSuspended = () =>
    kit.accountLists.accounts({ limit: 500, cursor: null }).items.map(({ suspended }) => suspended);
  assert.equal(await kit.said({ verb: "account_suspend", name: ALICE }), "done");
  assert.deepEqual(isSuspended(), [true]);
  assert.equal(await kit.said({ verb: "account_resume", name: ALICE }), "done");
  assert.deepEqual(isSuspended(), [false]);
  assert.deepEqual(kit.passwordHashesOf(ALICE), [passwordHash], "its password looks right as before");
  kit.replies.set("kick_account", { ok: false, reason: "doveadm kick failed" });
  const open =
    /^failed The open sessions of alice@\S+ were not ended, so it was not removed: doveadm kick failed .*Dovecot running\.$/;
  assert.match(await kit.said({ verb: "account_remove", name: ALICE }), open);
  kit.replies.clear();
  assert.equal(await kit.said({ verb: "account_remove", name: ALICE }), "done");
  const acts = ["ADDED", "SUSPENDED", "RESUMED", "REMOVED"].map((act) => `ACCOUNT_${act}`);
  assert.deepEqual(kit.types(), [acts[0], "PASSWORD_CHANGED", ...acts.slice(1)]);
  const kick = "kick_account";
  assert.deepEqual(kit.kept(), [kick, kick, "find_mail", "find_mail", kick, kick]);
});

test("a new account must be in a domain of this server; later its domain may be removed from the settings", async () => {
  kit.engine.setPolicy({ ...kit.engine.policy, domains: ["elsewhere.test"] });
  const created = await kit.said({ verb: "account_create_hashed", name: "bea@example.test", hash: HASH });
  const says = /^failed example\.test is not a mail domain of this server \(elsewhere\.test\)\. Add it to `domains`/;
  assert.match(created, says);
  assert.equal(await kit.said({ verb: "account_suspend", name: ALICE }), "done");
  const alias = { verb: "alias_add", address: "info@example.test", targets: [ALICE] } as const;
  assert.match(await kit.said(alias), /^failed example\.test is not a mail domain/);
});

test("a password must be hashed and have its scheme, as Dovecot reads it", async () => {
  const change = (hash: string) => kit.said({ verb: "account_set_hash", name: ALICE, hash });
  assert.equal(await change("{SHA512-CRYPT}$6$salt$hash"), "done");
  assert.equal(await change("{BLF-CRYPT.HEX}24326124"), "done");
  const create = (hash: string) => kit.said({ verb: "account_create_hashed", name: "bea@example.test", hash });
  for (const wrong of ["", "secret", "{PLAIN}", "{}x", "{A B}x", "{PLAIN}\n", "{PLAIN} x", "{PLAIN}x\ny"])
    for (const set of [change, create]) assert.match(await set(wrong), /^usage The password must be hashed\./, wrong);
});

test("through the web no account is suspended without a record", async () => {
  kit.signIn(OWNER);
  kit.fillDisk();
  const reply = await kit.ask({ verb: "account_suspend", name: ALICE }, "web", OWNER);
  assert.match(refusalOf(reply), /could not be written/);
  assert.deepEqual(kit.kept(), [], "its sessions stay open");
});

test("changes of an account's keys are recorded, and keys recovered for an earlier password are refused", async () => {
  const keys = [{ id: "00ff", publicKey: "cA==", locked: "bA==", recoverable: "cg==" }];
  assert.equal(await kit.said({ verb: "account_set_hash", name: ALICE, hash: HASH, keys: [] }), "done");
  assert.deepEqual(kit.types(), ["ACCOUNT_ADDED", "PASSWORD_CHANGED"]);
  assert.equal(await kit.said({ verb: "account_set_hash", name: ALICE, hash: HASH, keys }), "done");
  const recovering = { verb: "account_set_hash", name: ALICE, hash: `${HASH}1`, keys, recovers: true } as const;
  assert.equal(await kit.said(recovering), "done");
  const recorded = ["PASSWORD_CHANGED", "MAIL_KEY_MADE", "PASSWORD_CHANGED", "MAIL_KEYS_RECOVERED"];
  assert.deepEqual(kit.types().slice(2), recorded);
  const recover = (hash: string) => kit.said({ verb: "mail_keys_recover", name: ALICE, hash, keys });
  assert.match(await recover(HASH), /^failed .* new password/);
  assert.equal(await recover(`${HASH}1`), "done");
  assert.deepEqual(kit.types().slice(6), ["MAIL_KEYS_RECOVERED"]);
  assert.deepEqual(kit.kept(), ["kick_account", "kick_account", "kick_account", "kick_account"]);
});

test("a reply about an open session names the account and the reason", async () => {
  kit.given.keeperUp = false;
  assert.deepEqual(await kit.ask({ verb: "account_suspend", name: ALICE }), {
    ok: false,
    kind: "failed",
    message:
      `${ALICE} is changed, but its open sessions were not ended: no answer. ` +
      `${ALICE} is suspended, but its mail in the queue was not held: no answer`,
    next: "Suspend it again once `status` shows the keeper and Postfix.",
    mayBeDone: true,
  });
  assert.equal(kit.notices.raised.size, 0, "the keeper may have answered; its health is watched elsewhere");
  kit.given.keeperUp = true;
  assert.equal(await kit.said({ verb: "account_suspend", name: ALICE }), "done");
});

test("through the web a mailbox that gets the alerts is neither suspended nor removed", async () => {
  kit.signIn(OWNER);
  const web = (verb: "account_suspend" | "account_remove") => kit.said({ verb, name: ALICE }, "web", OWNER);
  assert.equal(await kit.said({ verb: "alias_add", address: "alerts@example.test", targets: [ALICE] }), "done");
  kit.given.alertsTo = ["owner@elsewhere.test", "alerts+server@example.test"];
  for (const verb of ["account_suspend", "account_remove"] as const) assert.match(await web(verb), /gets the alerts/);
  assert.equal(await kit.said({ verb: "account_suspend", name: ALICE }), "done", "root may");
  kit.given.alertsTo = ["owner@elsewhere.test"];
  assert.equal(await web("account_remove"), "done");
});

test("a mailbox gets alerts by its own address, with an extension, by aliases, and as the first one by postmaster@", () => {
  const { accounts, networks, reach } = accountsOnMemory();
  const [anna, bert] = [accountName("anna@example.test"), accountName("bert@example.test")];
  const [alerts, info] = [mailAddress("alerts@example.test"), mailAddress("info@example.test")];
  accounts.add(anna, "{X}y", instant(1));
  accounts.add(bert, "{X}y", instant(2));
  accounts.addAlias(alerts, [info]);
  accounts.addAlias(info, [bert]);
  networks.serve({ domains: ["example.test"], administrator: null, refused: [], networks: [] });
  const reached = (...alertsTo: readonly string[]): readonly string[] =>
    [anna, bert, alerts, info].filter((one) => getsAlerts({ reach, alertsTo: () => alertsTo }, one));
  assert.deepEqual(reached(), []);
  assert.deepEqual(reached("owner@elsewhere.test", "nonsense"), []);
  assert.deepEqual(reached("bert+server@example.test"), [bert]);
  assert.deepEqual(reached("alerts@example.test"), [bert, alerts, info]);
  assert.deepEqual(reached("postmaster@example.test"), [anna]);
  const administrator = mailAddress("bert+alerts@example.test");
  networks.serve({ domains: ["example.test"], administrator, refused: [], networks: [] });
  assert.deepEqual(reached("postmaster@example.test"), [bert]);
  const arePostmasters = ["Postmaster@else.test", "postmaster2@example.test"].map((one) =>
    isPostmaster(mailAddress(one)),
  );
  assert.deepEqual(arePostmasters, [true, false]);
});
