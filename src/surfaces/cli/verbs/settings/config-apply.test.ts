import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, test } from "node:test";
import { loadValid } from "../../../../../test/kit/loaded-settings.ts";
import { ip, LOGIN } from "../../../../../test/kit/samples.ts";
import { connected, readerWith, scriptCall } from "../../../../../test/kit/script-world.ts";
import { temporaryLayout } from "../../../../../test/kit/temporary-directory.ts";
import { guardOfSuite, oneLineOfError, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";
import type { Command } from "../../../../admin/declare/control.ts";
import { digestOf } from "../../../../guard/access/secrets.ts";
import { releaseLock, takeLock } from "../../../../host/running/data-directory.ts";
import { connect } from "../../../../programs/command-line/connect.ts";
import { toPolicy } from "../../../../settings/to-policy.ts";
import { type Call, failed, type Reader } from "../../call.ts";
import { configSimulate } from "../server/replay.ts";
import { afterEdits, configApply, confirmApply } from "./config-apply.ts";

const FILE = 'domains = ["example.org"]\n';

describe("with a running guard", TIMED, () => {
  const { layout, guard, run, does, fails } = guardOfSuite();
  afterEach(() => writeFileSync(layout.settings, FILE));

  /** Applies the settings with a guard that answers each verb like this, and a keeper. */
  const applyWith = (answer: (verb: string) => unknown, ask: Call["keeper"]["ask"]) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked
    const other = { ask: ({ verb }: Command) => Promise.resolve(answer(verb)) } as unknown as Call["guard"];
    const agreed = { flags: ["yes"], terminal: { err: () => undefined } };
    return configApply(scriptCall({ layout, keeper: { ask }, guard: other, ...agreed }));
  };

  test("account add names the command that applies a domain of the file, and that one the variable that overrides it", async () => {
    writeFileSync(layout.settings, 'domains = ["example.org", "example.net"]\n');
    const says = /example\.net is not a mail domain of this server .* `\.\/ghostinbox config apply`/;
    await fails("account add anna@example.net --password-stdin", says, { input: PASSWORD });
    const applied = await run("config apply", "", { GHOSTINBOX_DOMAIN: "example.org" });
    assert.match(applied.out, /^Warning: GHOSTINBOX_DOMAIN overrides line 1 of ghostinbox\.toml: domains is /m);
  });

  test("config show prints what the server uses, what is not applied yet, and what waits for the next start", async () => {
    const { out, err } = await run("config show");
    assert.match(out, /^ports\.login_policy = 2 {2}# not applied yet: \d+, default$/m);
    assert.match(out, /^fail2ban\.enabled = false {2}# at the next start: true, default$/m);
    assert.equal(err, "Next: ./ghostinbox config apply\n");
    const { out: shown } = await run("config show --json");
    assert.match(shown, /"ports\.login_policy",[^}]*"applied": false,\s*"inForce": "2"/);
    assert.match(shown, /"ports\.smtp",[^}]*"applied": true,\s*"inForce": "25"/);
    assert.match(shown, /"fail2ban\.enabled",[^}]*"applied": false,\s*"inForce": "false"/);
  });

  test("config apply does not claim both that something is in force and that nothing changed", async () => {
    guard().keeperAnswers(() => ({ ok: true, detail: "" }));
    const applied = await run("config apply");
    assert.match(applied.out, /^In force now: limits\.mail\.per_minute, /);
    assert.doesNotMatch(applied.out, /[Nn]othing/);
    guard().keeperAnswers(() => ({ ok: true, detail: "New connections get the new certificate." }));
    const says = /^In force now: .* New connections get the new certificate\. Restarted the guard\.$/m;
    assert.match(await does("config apply"), says);
  });

  test("a failed apply does not suggest `config check` if the settings are valid", async () => {
    guard().keeperAnswers(() => ({ ok: false, reason: "Postfix refuses main.cf." }));
    await fails("fail2ban restart", /^The server was started without Fail2ban\. Run /);
    mkdirSync(join(layout.services, "fail2ban"), { recursive: true });
    for (const command of ["config apply", "fail2ban restart"]) {
      const expected = `Nothing was applied: Postfix refuses main.cf. Correct that, then \`./ghostinbox ${command}\` again.\n`;
      assert.equal(oneLineOfError(await run(command), 1), expected);
    }
    const applied = guard().asked.filter(({ verb }) => verb === "apply");
    assert.deepEqual(applied.slice(-2), [
      { verb: "apply", digest: digestOf(FILE) },
      { verb: "apply", inForce: true },
    ]);
    guard().keeperAnswers(() => ({ ok: false, reason: "The keeper did not answer within 180 s.", mayBeDone: true }));
    assert.match((await run("config apply")).err, /^Not everything is in force, or not yet: The keeper did not answer/);
  });

  test("an edit that is saved while config apply asks is not applied without its own question", async () => {
    const asked: unknown[] = [];
    const answer = () => {
      writeFileSync(layout.settings, `${FILE}spam.enabled = false\n`);
      return { ok: true, result: { changed: [] } };
    };
    const reason = "The settings file was edited in the meantime.";
    const applied = await applyWith(answer, (command) => {
      asked.push(command);
      return Promise.resolve({ ok: false, reason });
    });
    assert.deepEqual(asked, [{ verb: "apply", digest: digestOf(FILE) }]);
    assert.equal(applied.ok ? "" : applied.message, `Nothing was applied: ${reason}`);
  });

  test("a guard that fails after the mail programs took the settings does not hide that", async () => {
    const answer = (verb: string) =>
      verb === "pending" ? { ok: true, result: { changed: [] } } : failed("The guard hangs.", "Try.");
    const applied = await applyWith(answer, () => Promise.resolve({ ok: true, detail: "" }));
    assert.ok(!applied.ok);
    assert.equal(applied.message, "Postfix and Dovecot have the new settings, but the guard may not: The guard hangs.");
    assert.match(applied.next, /`\.\/ghostinbox restart` gives them to all programs/);
  });

  test("without a record of the change, or without the guard, the trial of the strict firewall is not forgotten", async () => {
    writeFileSync(layout.settings, `${FILE}firewall.mode = "strict"\n`);
    const result = { changed: ["firewall.mode"], recorded: false };
    const answer = () => ({ ok: true, result });
    const applied = await applyWith(answer, () => Promise.resolve({ ok: true, detail: "", count: 60 }));
    assert.match(applied.ok ? "" : applied.message, /could not be written\. The strict firewall is on trial\. /);
    const hanging = (verb: string) => (verb === "reload" ? failed("The guard hangs.", "Try.") : answer());
    const untried = await applyWith(hanging, () => Promise.resolve({ ok: true, detail: "" }));
    const says = /hangs\. The strict firewall was not tried: `.* firewall try` starts/;
    assert.match(untried.ok ? "" : untried.message, says);
  });

  test("a program that fails to restart does not keep others from restarting", async () => {
    const asked: string[] = [];
    const answer = (verb: string) => {
      const changed = verb === "pending" ? [] : ["ports.login_policy", "hostname"];
      return { ok: true, result: { changed, recorded: true } };
    };
    const applied = await applyWith(answer, (command) => {
      asked.push(command.verb === "restart" ? command.service : command.verb);
      const reason = "guard could not be restarted: it is down";
      return Promise.resolve(asked.at(-1) === "guard" ? { ok: false, reason } : { ok: true, detail: "" });
    });
    assert.deepEqual(asked, ["apply", "guard", "web"]);
    assert.ok(!applied.ok);
    assert.equal(applied.message, "Not everything is in force: guard could not be restarted: it is down.");
  });
});

test("edits that were written to the settings file are reported even if nothing is applied", () => {
  const edit = "security/security.js was edited: bans.enabled = false, now in ghostinbox.toml.";
  const declined = afterEdits([edit], failed("Nothing was applied.", ""));
  assert.equal(declined.message, `${edit} Nothing was applied.`);
  assert.equal(afterEdits([], declined).message, declined.message);
});

test("settings that affect decisions are first tried on recorded events", async () => {
  const call = scriptCall({
    layout: temporaryLayout(),
    reader: () => Promise.resolve(failed("The events are read.", "")),
  });
  const loaded = loadValid('domains = ["example.org"]');
  const isTried = async (key: string) =>
    !(await confirmApply(call, loaded, { changed: [key], inForce: [], waiting: {} })).ok;
  for (const key of [
    "limits.spraying.guesses",
    "limits.sending.refused",
    "limits.first_contacts.per_hour",
    "dnsbl.zones",
    "simulate",
  ])
    assert.ok(await isTried(key), key);
  assert.equal(await isTried("outbound.at_once"), false);
});

const BOTH = ["limits.mail.per_minute", "domains"];
const ANNA = "anna@example.org";

describe("domains that accounts would lose", TIMED, () => {
  const { layout, guard, run, does } = guardOfSuite({ accounts: [ANNA] });

  /** `answer`: what someone at a terminal says; null: no terminal. */
  const confirm = async (
    toml: string,
    changed: readonly string[],
    { answer = null as string | null, flags = [] as readonly string[], inForce = [] as readonly string[] } = {},
  ) => {
    const terminal = { interactive: answer !== null, err: () => undefined, ask: () => Promise.resolve(answer) };
    const call = scriptCall({ layout, flags, terminal, ...connect(layout, {}) });
    return confirmApply(call, loadValid(toml), { changed, inForce, waiting: {} });
  };
  const isConfirmed = async (...given: Parameters<typeof confirm>) => (await confirm(...given)).ok;
  /** Without a terminal, the settings are refused with this message. */
  const refuses = async (toml: string, changed: readonly string[], says: RegExp, inForce: readonly string[] = []) => {
    const refused = await confirm(toml, changed, { inForce });
    assert.match(refused.ok ? "" : refused.message, says);
  };

  test("are removed only after a yes, and the accounts are named", async () => {
    const misspelled = 'domains = ["exmaple.org"]';
    const message = "Nothing was applied. No more mail would be received for anna@example.org.";
    const next = "`./ghostinbox config apply --yes` applies the settings anyway.";
    assert.partialDeepStrictEqual(await confirm(misspelled, BOTH), { ok: false, message, next });
    assert.equal(await isConfirmed(misspelled, ["domains"], { answer: "n" }), false);
    assert.equal(await isConfirmed(`${misspelled}\nsimulate = true`, ["domains"]), false);
    assert.ok(await isConfirmed(misspelled, ["domains"], { answer: "y" }));
    assert.ok(await isConfirmed(misspelled, ["domains"], { flags: ["yes"] }));
  });

  test("a rule that deletes mail of the same day is applied only after a yes", async () => {
    const [months, days] = ['retention.mail = ["INBOX 36m", "Trash 30d"]', 'retention.mail = ["Trash 30d"]'];
    await refuses(months, ["retention.mail"], /less than a day old: “INBOX 36m” \(m means minutes\)\.$/);
    assert.ok(await isConfirmed(months, ["retention.mail"], { answer: "y" }));
    assert.ok(await isConfirmed(days, ["retention.mail"]));
  });

  test("need no question if none is lost, unless the server would be renamed after another one", async () => {
    const reordered = 'domains = ["example.net", "example.org"]';
    assert.ok(await isConfirmed(reordered, BOTH));
    const renamed = [...BOTH, "hostname"];
    const inForce = ["", '["example.org"]', '"mail.example.org"'];
    await refuses(reordered, renamed, /rename the server from "mail\.example\.org" to "mail\.example\.net"/, inForce);
    assert.ok(await isConfirmed(reordered, renamed, { answer: "y", inForce }));
    assert.ok(await isConfirmed(`${reordered}\nhostname = "mx.example.org"`, renamed, { inForce }));
    assert.ok(await isConfirmed('domains = ["exmaple.org"]', ["spam.enabled"]));
  });

  test("aliases that would lose their mail are named too", async () => {
    await does(`alias add info@example.org ${ANNA}`);
    const says = /No more mail would be received for anna@example\.org.* info@example\.org\./;
    await refuses('domains = ["exmaple.org"]', BOTH, says);
  });

  test("settings that name a removed domain are named: their mail would go to whoever has it", async () => {
    const from = ['["example.org", "old.example"]'];
    const toml = 'domains = ["example.org"]\nalerts.email = ["me@else.example", "me@old.example"]\n';
    const named = `${toml}accounts.administrator = "admin@old.example"\nfail2ban.sender = "ban@example.org"`;
    const says =
      /^Nothing was applied\. Whoever .* get mail for its addresses in accounts\.administrator, alerts\.email\.$/;
    await refuses(named, ["domains"], says, from);
    const role = named.replace("admin@old.example", "anna+admin@example.org").replace("me@old.example", ANNA);
    const moved = role.replace("example.org", "else.test");
    // anna@ is here.
    await refuses(moved, ["domains"], /addresses in alerts\.email, fail2ban\.sender\.$/, from);
  });

  test("an added domain without the account to which aliases, forwards or settings lead is asked about", async () => {
    await does("alias add sales@example.org bob@new.example me@else.example postmaster@new.example");
    await does("alias add old@example.org dora@new.example");
    await does("alias block old@example.org");
    await does(`account forward ${ANNA} carl@new.example`);
    const from = ['["example.org"]'];
    const toml = 'domains = ["example.org", "new.example"]\nfail2ban.sender = "ban@new.example"\n';
    const named = `${toml}alerts.email = ["me@new.example", "abuse@new.example"]\naccounts.administrator = "${ANNA}"`;
    const says =
      /^Nothing was applied\. Mail from .* would not reach bob@new\.example, carl@new\.example, me@new\.example: no account/;
    await refuses(named, ["domains"], says, from);
    const blocked = `${named}\nrecipients.blocked = ["abuse"]`;
    await refuses(blocked, ["domains"], /, me@new\.example, abuse@new\.example: no account/, from);
    const back = { inForce: ['["else.test"]'] };
    assert.ok(await isConfirmed('domains = ["example.org", "else.test"]', ["domains"], back));
  });

  test("a network that leaves the allow list is judged without it: who signed in there after guesses is named", async () => {
    const { engine } = guard();
    const [domains, inForce] = [`domains = ["example.org"]\n`, '["203.0.113.0/24"]'];
    engine.setPolicy(toPolicy(loadValid(`${domains}allow.networks = ${inForce}`).settings));
    const login = { ...LOGIN, ip: ip("203.0.113.9"), login: ANNA };
    for (let i = 0; i < 40; i++) {
      await engine.ask({ ...login, type: "LOGIN_ASKED", passwordHash: `${i}` });
      await engine.ask({ ...login, type: "LOGIN_FAILED", passwordHash: `${i}` });
    }
    await engine.ask({ ...login, type: "LOGIN_ASKED", passwordHash: "right" });
    await engine.ask({ ...login, type: "LOGIN_SUCCEEDED", passwordHash: "right" });
    const says = /would have refused users who had signed in: anna@example\.org \(from 203\.0\.113\.9\)/;
    await refuses(domains, ["allow.networks"], says, [inForce]);
    guard().settingsWait({ changed: ["allow.networks"], inForce: [inForce], waiting: {} });
    const simulated = await run(`config simulate ${layout.settings} --json`);
    assert.partialDeepStrictEqual(JSON.parse(simulated.out), { accounts: { items: [{ account: ANNA }] } });
  });
});

test("config simulate: variables of the caller count only while the server is down, because a running one does not have them", async () => {
  const layout = temporaryLayout("startPid");
  const file = join(layout.data, "other.toml");
  writeFileSync(file, FILE);
  const limits: unknown[] = [];
  const replay: Reader["replay"] = ({ policy }) => {
    limits.push(policy.mail[0]?.count);
    return Promise.reject(new Error("it was asked"));
  };
  const { guard } = connected({ guard: { ask: () => Promise.resolve(failed("It is not known.", "")) } });
  const env = { GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "7" };
  const simulate = () =>
    assert.rejects(configSimulate(scriptCall({ layout, args: [file], env, guard, reader: readerWith({ replay }) })));
  await simulate();
  takeLock(layout.startPid);
  await simulate();
  releaseLock(layout.startPid);
  assert.deepEqual(limits, [7, 10]);
});
