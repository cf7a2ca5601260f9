import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { put } from "../../../../../test/kit/files.ts";
import { beforeEachOf } from "../../../../../test/kit/hooks.ts";
import { scriptCall } from "../../../../../test/kit/script-world.ts";
import { commandLineOf, type Finished, ghostinbox, json, oneLineOfError } from "../../../../../test/kit/test-guard.ts";
import { commentedToml } from "../../../../settings/reference.ts";
import { configApply } from "./config-apply.ts";

const SHIPPED = commentedToml({ domains: ["example.org"], hostname: "mail.example.org" });

const { layout, run, fails } = commandLineOf(import.meta.filename);
beforeEachOf(import.meta.filename, () => writeFileSync(layout.settings, SHIPPED));

const config = (...words: readonly string[]): Promise<Finished> => ghostinbox(layout, ["config", ...words]);
const file = (): string => readFileSync(layout.settings, "utf8");

test("adds one line below the default, changes nothing else, and prints the next command", async () => {
  const { code, out, err } = await config("set", "limits.mail.per_minute", "20");
  assert.equal(code, 0, err);
  assert.match(out, /^The file was changed; it is not applied yet\.\nlimits\.mail\.per_minute = 20\n$/);
  assert.equal(err, "Next: ./ghostinbox config apply\n");
  const line = "# limits.mail.per_minute = 10\n";
  assert.equal(file(), SHIPPED.replace(line, `${line}limits.mail.per_minute = 20\n`));
  const unset = await config("unset", "limits.mail.per_minute");
  assert.match(unset.out, /^limits\.mail\.per_minute = 10, the default$/m);
  assert.equal(file(), SHIPPED);
  assert.match((await config("unset", "limits.mail.per_minute")).out, /^Nothing to change: /);
});

for (const [key, value, line] of [
  ["bans.ladder", "30m,2h", 'bans.ladder = ["30m", "2h"]'],
  ["bans.ladder", '["45m"]', 'bans.ladder = ["45m"]'],
  ["alerts.contacts", '["Anna, +49 30 1234567"]', 'alerts.contacts = ["Anna, +49 30 1234567"]'],
  ["hostname", "mx.example.org", 'hostname = "mx.example.org"'],
  ["hostname", '"mx.example.org"', 'hostname = "mx.example.org"'],
  ["dnsbl.zones", "[]", "dnsbl.zones = []"],
] as const)
  test(`a value as in a variable or as in the file: ${key} ${value}`, async () => {
    assert.equal((await config("set", key, value)).code, 0);
    assert.ok(file().split("\n").includes(line), file());
  });

test("settings that need each other are set and unset at once", async () => {
  await fails("config set tls.cert /c", /^tls\.key must be set too/);
  assert.equal(file(), SHIPPED);
  assert.equal((await config("set", "tls.cert", "/c", "tls.key", "/k")).code, 0);
  assert.match(file(), /^tls\.cert = "\/c"$/m);
  assert.match(file(), /^tls\.key = "\/k"$/m);
  assert.equal((await config("unset", "tls.cert", "tls.key")).code, 0);
  assert.equal(file(), SHIPPED);
});

test("a value may be the name of a setting, or contain spaces", async () => {
  const contact = "Anna  reads ports.smtp = 25 and simulate";
  const words = ["simulate", "true", "alerts.contacts", contact, "hostname", "mx.example.org"];
  const finished = await config("set", ...words);
  assert.equal(finished.code, 0, finished.err);
  const lines = file().split("\n");
  for (const line of ["simulate = true", `alerts.contacts = ["${contact}"]`, 'hostname = "mx.example.org"'])
    assert.ok(lines.includes(line), line);
});

for (const [words, code, says] of [
  [["set", "spam.enabeld", "3"], 2, /^"spam\.enabeld" is not a setting; the nearest is spam\.enabled\b/],
  [["set", "limits.mail.per_minute", "0"], 2, /^limits\.mail\.per_minute must be a whole number .* not 0\./],
  [["set", "limits.mail.per_minute", "3\nsimulate = true"], 2, /must be a whole number/],
  [["set", "ports.smtp", "993"], 1, /^ports\.imaps must not be 993, the port of ports\.smtp\./],
  [["set", "hostname"], 2, /^config set needs VALUE\./],
  [["set", "simulate", "true", "nonsense"], 2, /^"nonsense" is not a setting/],
  [["set", "simulate", "true", "hostname"], 2, /^hostname needs a value\. Put quotes/],
  [["unset", "http.port"], 2, /^"http\.port" is not a setting\. `/],
] as const)
  test(`nothing is written: ${JSON.stringify(words)}`, async () => {
    assert.match(oneLineOfError(await config(...words), code), says);
    assert.equal(file(), SHIPPED);
    assert.deepEqual(globSync("ghostinbox.toml*", { cwd: layout.data }), ["ghostinbox.toml"]);
  });

test("a file that is not TOML, or wrong elsewhere, is reported and left unchanged; the wrong key itself can be fixed", async () => {
  writeFileSync(layout.settings, "a = [");
  await fails("config set simulate true", /^Line 1 of ghostinbox\.toml.* is not TOML/);
  writeFileSync(layout.settings, 'domains = ["example.org"]\nports.smtp = 0\n');
  await fails("config set simulate true", /^ports\.smtp must be/);
  assert.equal((await config("set", "ports.smtp", "25")).code, 0);
  assert.equal(file(), 'domains = ["example.org"]\nports.smtp = 25\n');
});

test("keeps what another command writes at the same moment", async (t) => {
  // The other command holds the lock, and writes while this one waits for it.
  const waited = 'until grep -q -e "-> FLOCK.*:$(stat -c %i "$0.lock") " /proc/locks; do sleep 0.01; done';
  const script = `echo; ${waited}; echo "simulate = true" >> "$0"`;
  const other = spawn("flock", [`${layout.settings}.lock`, "sh", "-c", script, layout.settings]);
  t.after(() => other.kill());
  await once(other.stdout, "data");
  assert.equal((await config("set", "limits.mail.per_minute", "20")).code, 0);
  assert.match(file(), /^limits\.mail\.per_minute = 20\n[^]*^simulate = true$/m);
  assert.ok(!existsSync(`${layout.settings}.lock`));
});

test("the last mail domain cannot be removed, because no server starts without one", async () => {
  for (const words of ["set domains []", "unset domains"]) {
    await fails(`config ${words}`, /^No mail domain is set: /);
    assert.equal(file(), SHIPPED);
  }
});

test("a file that lost every setting is refused while the server last ran with some, even with an edit to adopt", async () => {
  put(join(layout.fail2banConf, "jail.local"), "destemail = anna@example.net\n");
  put(layout.settingsInForce, SHIPPED);
  const variables = { GHOSTINBOX_DOMAIN: "example.org" };
  const lost = `${layout.settings} must have at least one setting, because the server last ran with some: ${layout.settingsInForce} `;
  for (const text of ["", "\uFEFF", "# domains = []\n", "[limits]\n"]) {
    writeFileSync(layout.settings, text);
    for (const words of ["set simulate true", "check"]) {
      const refused = await run(`config ${words}`, "", variables);
      assert.ok(oneLineOfError(refused, 1).startsWith(lost), refused.err);
    }
    const applied = await configApply(scriptCall({ layout, env: variables }));
    assert.ok(!applied.ok && applied.message.startsWith(lost));
    assert.equal(file(), text);
  }
  writeFileSync(layout.settings, "a = [");
  await fails("config check", /^Line 1 of ghostinbox\.toml.* is not TOML/);
  writeFileSync(layout.settings, "");
  for (const inForce of ["# nothing\n", null]) {
    if (inForce === null) rmSync(layout.settingsInForce);
    else writeFileSync(layout.settingsInForce, inForce);
    assert.match((await run("config check", "", variables)).out, /: nothing is wrong\.$/m);
  }
  await fails("config check", /^No mail domain is set: /);
  writeFileSync(layout.settingsInForce, "simulate = true\n");
  put(join(layout.environment, "GHOSTINBOX_DOMAIN"), "example.org");
  assert.match((await run("config check", "", variables)).out, /: nothing is wrong\.$/m, "it runs on variables");
});

test("the last setting with which the server ran is not unset", async () => {
  for (const [key, text] of [
    ["simulate", "# none\nsimulate = true\n"],
    ["domains", 'domains = ["example.org"]\n'],
  ] as const) {
    writeFileSync(layout.settings, text);
    put(layout.settingsInForce, text);
    const unset = () => run(`config unset ${key}`, "", { GHOSTINBOX_FIRST_DOMAIN: "example.org" });
    assert.match(oneLineOfError(await unset(), 1), /ghostinbox\.toml must have at least one setting, because /);
    assert.equal(file(), text);
    rmSync(layout.settingsInForce);
    assert.equal((await unset()).code, 0);
  }
});

test("a host name is unset even if the first start was given it", async () => {
  const variables = { GHOSTINBOX_FIRST_HOSTNAME: "mx.example.org" };
  for (const line of ['hostname = "mx.example.org"\n', ""]) {
    writeFileSync(layout.settings, `${line}domains = ["example.org"]\n`);
    const { out } = await run("config unset hostname", "", variables);
    assert.match(out, /^hostname = "mail\.example\.org", the default$/m);
  }
  writeFileSync(layout.settings, 'domains = ["example.org"]\n');
  assert.match((await run("config unset hostname")).out, /^Nothing to change: /);
});

test("a byte order mark is kept", async () => {
  writeFileSync(layout.settings, `\uFEFF${SHIPPED}`);
  assert.equal((await config("set", "simulate", "true")).code, 0);
  assert.ok(file().startsWith("\uFEFF# "));
});

test("a link is not replaced by a file", async () => {
  const elsewhere = join(layout.data, "elsewhere.toml");
  writeFileSync(elsewhere, SHIPPED);
  rmSync(layout.settings);
  symlinkSync(elsewhere, layout.settings);
  await fails("config set simulate true", /put a copy in its place/);
  assert.equal(readFileSync(elsewhere, "utf8"), SHIPPED);
});

test("before the first start the file to change is missing", async () => {
  rmSync(layout.settings);
  put(layout.settingsInForce, SHIPPED);
  await fails("config set simulate true", /toml must have at least one setting, because /);
  rmSync(layout.settingsInForce);
  await fails("config set simulate true", /does not exist yet\. The first start writes it/);
});

test("a variable that overrides the new value is named", async () => {
  put(join(layout.environment, "GHOSTINBOX_DOMAIN"), "example.org");
  const { out } = await config("set", "domains", "example.net");
  const says =
    /^Warning: GHOSTINBOX_DOMAIN overrides line 5 of ghostinbox\.toml: domains is \["example\.org"\], not \["example\.net"\]\.$/m;
  assert.match(out, says);
  const reported = JSON.stringify(json(await config("set", "domains", "example.com", "--json")));
  assert.match(reported, /"changed":true,.*"where":"GHOSTINBOX_DOMAIN"/);
});

test("a secret is not printed, right or wrong", async () => {
  const right = await config("set", "alerts.webhook", "https://hooks.example/T0KEN");
  assert.equal(right.code, 0, right.err);
  assert.match(right.out, /^alerts\.webhook = \(secret\)$/m);
  const wrong = await config("set", "alerts.webhook", "no T0KEN");
  assert.equal(wrong.code, 2);
  assert.doesNotMatch(right.out + right.err + wrong.out + wrong.err, /T0KEN/);
});
