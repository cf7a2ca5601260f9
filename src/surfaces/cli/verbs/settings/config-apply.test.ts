import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { ghostinbox, guardOfSuite, oneLineOfError, PASSWORD, TIMED } from "../../../../../test/kit/test-guard.ts";
import type { Command } from "../../../../admin/declare/control.ts";
import { type Call, failed } from "../../call.ts";
import { afterEdits, configApply } from "./config-apply.ts";

describe("with a running guard", TIMED, () => {
  const { layout, guard, run } = guardOfSuite();

  /** Applies the settings with a guard that answers each verb like this, and a keeper. */
  const applyWith = (answer: (verb: string) => unknown, ask: Call["keeper"]["ask"]) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing else is asked
    const other = { ask: ({ verb }: Command) => Promise.resolve(answer(verb)) } as unknown as Call["guard"];
    return configApply(scriptCall({ layout, keeper: { ask }, guard: other }));
  };

  test("account add names the command that applies a domain of the file, and that one the variable that overrides it", async () => {
    const file = readFileSync(layout.settings, "utf8");
    writeFileSync(layout.settings, 'domains = ["example.org", "example.net"]\n');
    const add = ["account", "add", "anna@example.net", "--password-stdin"];
    const edited = await ghostinbox(layout, add, `${PASSWORD}\n`);
    assert.match(
      oneLineOfError(edited),
      /example\.net is not a mail domain of this server .* `\.\/ghostinbox config apply`/,
    );
    const variable = { GHOSTINBOX_DOMAIN: "example.org" };
    const applied = await ghostinbox(layout, ["config", "apply"], "", variable);
    assert.match(applied.out, /^Warning: GHOSTINBOX_DOMAIN overrides line 1 of ghostinbox\.toml: domains is /m);
    writeFileSync(layout.settings, file);
  });

  test("config show tells what the server uses, and what was not applied yet", async () => {
    const { out, err } = await run("config show");
    assert.match(out, /^ports\.login_policy = 2 {2}# not applied yet: \d+, default$/m);
    assert.equal(err, "Next: ./ghostinbox config apply\n");
    const { out: shown } = await run("config show --json");
    assert.match(shown, /"ports\.login_policy",[^}]*"applied": false,\s*"inForce": "2"/);
    assert.match(shown, /"ports\.smtp",[^}]*"applied": true,\s*"inForce": "25"/);
  });

  test("config apply does not say that something is in force and that nothing changed", async () => {
    guard().keeperSays("");
    const applied = await run("config apply");
    assert.match(applied.out, /^In force now: limits\.mail\.per_minute, /);
    assert.doesNotMatch(applied.out, /[Nn]othing/);
    guard().keeperSays("New connections get the new certificate.");
    const certificate = await run("config apply");
    assert.match(
      certificate.out,
      /^In force now: .* New connections get the new certificate\. Restarted the guard\.$/m,
    );
  });

  test("what could not be applied names no command that finds nothing wrong in the settings", async () => {
    guard().keeperAnswers(() => ({ ok: false, reason: "Postfix refuses main.cf." }));
    for (const command of ["config apply", "fail2ban restart"]) {
      assert.equal(
        oneLineOfError(await run(command), 1),
        `Nothing was applied: Postfix refuses main.cf. Correct that, then \`./ghostinbox ${command}\` again.\n`,
      );
    }
    guard().keeperAnswers(() => ({ ok: false, reason: "The keeper did not answer within 180 s.", mayHold: true }));
    assert.match((await run("config apply")).err, /^Not everything is in force, or not yet: The keeper did not answer/);
  });

  test("a guard that fails after the mail programs took the settings does not hide that", async () => {
    const answer = (verb: string) =>
      verb === "pending" ? { ok: true, result: { changed: [] } } : failed("The guard hangs.", "Try.");
    const applied = await applyWith(answer, () => Promise.resolve({ ok: true, detail: "" }));
    assert.ok(!applied.ok);
    assert.equal(applied.message, "Postfix and Dovecot have the new settings, the guard may not: The guard hangs.");
    assert.match(applied.next, /`\.\/ghostinbox restart` gives them to all programs/);
  });

  test("a program that does not restart keeps no other from restarting", async () => {
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
