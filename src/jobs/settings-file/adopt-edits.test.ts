import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { contentOf, modeOf, put } from "../../../test/kit/files.ts";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { SCRIPT } from "../../settings/script/adopt-edits.ts";
import { adoptDestemail, adoptScript } from "./adopt-edits.ts";

/** A checkout beside a data directory with these settings. */
function installed(toml: string) {
  const [checkout, layout] = [temporaryDirectory(), temporaryLayout()];
  put(layout.settings, toml, 0o640);
  mkdirSync(join(checkout, "security"));
  return { checkout, layout, text: () => contentOf(layout.settings) };
}

function scene(toml: string) {
  const { checkout, layout, text } = installed(toml);
  const upgrade = (version: string): void =>
    writeFileSync(join(checkout, "package.json"), `{ "version": "${version}" }\n`);
  upgrade("1.0.0");
  const script = join(checkout, SCRIPT);
  const edit = (config: string): void => writeFileSync(script, `const config = ${config};\n`);
  const adopt = (isTrial = false) => adoptScript(checkout, layout, {}, isTrial);
  return { layout, edit, upgrade, adopt, text, script };
}

const said = (...says: readonly string[]) => ({ ok: true, says });

test("an edit is first only shown, then written to the settings file once", () => {
  const { layout, edit, adopt, text } = scene("\uFEFF# mine\n");
  edit("{ maxEmailsPerIP: { perMinute: 20 } }");
  const edited = `${SCRIPT} was edited: limits.mail.per_minute = 20`;
  assert.deepEqual(adopt(true), said(`${edited}; \`config apply\` writes it to ghostinbox.toml.`));
  assert.deepEqual([text(), existsSync(layout.adoptedScript)], ["\uFEFF# mine\n", false]);
  assert.deepEqual(adopt(), said(`${edited}, now in ghostinbox.toml.`));
  assert.equal(text(), "\uFEFF# mine\nlimits.mail.per_minute = 20\n");
  assert.equal(modeOf(layout.settings), 0o640);
  writeFileSync(layout.settings, "limits.mail.per_minute = 30\n");
  assert.deepEqual(adopt(), said());
  edit("{}");
  assert.deepEqual([adopt(), text()], [said(), "limits.mail.per_minute = 30\n"]);
});

const TRUSTING = '{ whitelist: ["192.0.2.7"] }';
const ALL = 'allow.networks = ["127.0.0.1/32", "::1/128", "192.0.2.7/32"]\n';
const KEPT = said(`${SCRIPT} is as shipped again. ghostinbox.toml keeps what was edited there before: allow.networks.`);

test("the script of a new version does not undo edits, which is reported once", () => {
  const { edit, upgrade, adopt, text } = scene("");
  edit(TRUSTING);
  adopt();
  upgrade("1.1.0");
  edit("{}");
  assert.deepEqual([adopt(true), adopt(), text()], [KEPT, KEPT, ALL]);
  assert.deepEqual([adopt(), text()], [said(), ALL]);
});

test("an edited file that a new version replaces can be edited back later", () => {
  const { edit, upgrade, adopt, text } = scene("");
  edit(TRUSTING);
  adopt();
  upgrade("1.1.0");
  assert.deepEqual([adopt(), text()], [said(), ALL]);
  edit("{ whitelist: [] }");
  const ended = said(`${SCRIPT} was edited: allow.networks = ["127.0.0.1/32", "::1/128"], now in ghostinbox.toml.`);
  assert.deepEqual([adopt(), text()], [ended, ""], "removing the last address ends its trust");
});

const NOW_S = Date.now() / 1_000;

for (const [what, scriptAtS, recordAtS] of [
  ["older than the adopted one, as in a new container", 1, NOW_S],
  ["younger than the contents of a restored record", NOW_S - 60, 1],
] as const)
  test(`an unedited script that is ${what}, undoes nothing`, () => {
    const { layout, edit, adopt, text, script } = scene("");
    edit(TRUSTING);
    adopt();
    edit("{}");
    utimesSync(script, scriptAtS, scriptAtS);
    utimesSync(layout.adoptedScript, recordAtS, recordAtS);
    assert.deepEqual([adopt(), text()], [KEPT, ALL]);
  });

test("a record of an older program, without a version, counts as one of a different version", () => {
  const { layout, edit, adopt, text } = scene(ALL);
  writeFileSync(layout.adoptedScript, '{ "allow.networks": "[\\"192.0.2.7/32\\"]" }\n');
  edit("{}");
  assert.deepEqual([adopt(), text()], [KEPT, ALL]);
});

test("a script with a mistake changes nothing", () => {
  const { edit, adopt, text } = scene("limits.mail.per_hour = 40\n");
  edit("{ maxEmailsPerIP: { perMinute: 20, perHour: 60 } }");
  const adopted = adopt();
  const problems = adopted.ok ? [] : adopted.problems.map(({ where, line }) => `${where} ${line}`);
  assert.deepEqual(problems, ["limits.mail.per_hour 1"]);
  assert.equal(text(), "limits.mail.per_hour = 40\n");
});

test("without a script or a settings file there is nothing to do", () => {
  const { layout, edit, adopt } = scene("");
  assert.deepEqual(adopt(), said());
  edit("{ maxEmailsPerIP: { perMinute: 20 } }");
  rmSync(layout.settings);
  assert.deepEqual([adopt(), existsSync(layout.settings)], [said(), false]);
});

test("a pipe or an endless file in place of the script is an error, and does not block the start", () => {
  const { adopt, script } = scene("");
  execFileSync("mkfifo", [script]);
  assert.throws(() => adopt(), /security\.js cannot be read: .* is not a regular file\./);
  rmSync(script);
  writeFileSync(script, "");
  truncateSync(script, 5e9);
  assert.throws(() => adopt(), /security\.js cannot be read: .* is larger than such a file can be\./);
});

/** As the document prints it. */
const PRINTED = "# Edit fail2ban jail configuration\ndestemail = your-alert-email@domain.com\n";
const ADOPTED = 'alerts.email = ["your-alert-email@domain.com"]';

function jails(toml = "") {
  const { checkout, layout, text } = installed(toml);
  mkdirSync(layout.fail2banConf, { recursive: true });
  return {
    file: join(layout.fail2banConf, "jail.local"),
    rendered: join(layout.fail2banConf, "jail.conf"),
    security: join(checkout, "security", "jail.local"),
    adopt: (isTrial = false, env = {}) => adoptDestemail(checkout, layout, env, isTrial),
    text,
  };
}

test("the destemail of each file is first reported, then written once", () => {
  for (const place of ["file", "rendered", "security"] as const) {
    const { [place]: file, adopt, text } = jails("\uFEFF# mine\n");
    writeFileSync(file, PRINTED);
    const says = `${file} sets destemail: ${ADOPTED}`;
    assert.deepEqual(adopt(true), [`${says}; \`config apply\` writes it to ghostinbox.toml.`]);
    assert.equal(text(), "\uFEFF# mine\n");
    assert.deepEqual(adopt(), [`${says}, now in ghostinbox.toml.`]);
    assert.equal(text(), `\uFEFF# mine\n${ADOPTED}\n`);
    assert.deepEqual(adopt(), []);
  }
});

test("the last destemail counts, even with several addresses, without comments", () => {
  const { file, rendered, security, adopt, text } = jails();
  writeFileSync(security, "[DEFAULT]\ndestemail = c@example.org\n");
  writeFileSync(rendered, "[DEFAULT]\ndestemail = d@example.org\n");
  writeFileSync(file, "[DEFAULT]\nDestEmail: a@example.org, b@example.net ; both\n# destemail = e@example.org\n");
  adopt();
  assert.equal(text(), 'alerts.email = ["a@example.org", "b@example.net"]\n');
});

test("the settings take precedence, and that is reported", () => {
  const { file, adopt, text } = jails('# mine\nalerts.email = ["me@example.org"]\n');
  writeFileSync(file, PRINTED);
  const unused = `${file}: destemail = your-alert-email@domain.com is not used: `;
  assert.deepEqual(adopt(), [`${unused}line 2 of ghostinbox.toml sets alerts.email = ["me@example.org"], and wins.`]);
  const overridden = adopt(false, { GHOSTINBOX_ALERTS__EMAIL: "you@example.org" });
  assert.deepEqual(overridden, [`${unused}GHOSTINBOX_ALERTS__EMAIL sets alerts.email.`]);
  assert.equal(text(), '# mine\nalerts.email = ["me@example.org"]\n');
});

for (const [what, written, why] of [
  ["no address", "nobody", /: destemail = nobody is not used: alerts\.email has an item that must be a mail address/],
  ["a reference", "%(mailto)s", /: destemail = %\(mailto\)s is not used: /],
] as const)
  test(`${what} is reported, and nothing is written`, () => {
    const { file, adopt, text } = jails();
    writeFileSync(file, `destemail = ${written}\n`);
    assert.match(adopt().join("\n"), why);
    assert.equal(text(), "");
  });

test("an unreadable file is reported, and the next one counts", () => {
  const { file, security, adopt, text } = jails();
  mkdirSync(file);
  writeFileSync(security, PRINTED);
  const [unread = "", ...says] = adopt();
  assert.match(unread, /jail\.local could not be read to look for destemail: /);
  assert.deepEqual([says.length, text()], [1, `${ADOPTED}\n`]);
});

test("the value of Debian's jail.conf, an empty one and invalid settings change nothing", () => {
  const { file, adopt } = jails();
  for (const line of ["destemail = root@localhost", "destemail =", "destemail = ; none", "xdestemail = a@b.org"]) {
    writeFileSync(file, `${line}\n`);
    assert.deepEqual(adopt(), []);
  }
  assert.deepEqual(adoptDestemail("/nowhere", temporaryLayout(), {}), [], "before the first start");
  const invalid = jails("nonsense = 1\n");
  writeFileSync(invalid.file, PRINTED);
  assert.deepEqual([invalid.adopt(), invalid.text()], [[], "nonsense = 1\n"]);
});
