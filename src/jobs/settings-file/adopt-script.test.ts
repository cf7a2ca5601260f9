import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { SCRIPT } from "../../settings/script/adopt-edits.ts";
import { adoptScript } from "./adopt-edits.ts";

function scene(toml: string) {
  const [checkout, layout] = [temporaryDirectory(), temporaryLayout()];
  writeFileSync(layout.settings, toml);
  chmodSync(layout.settings, 0o640);
  mkdirSync(join(checkout, "security"));
  const upgrade = (version: string): void =>
    writeFileSync(join(checkout, "package.json"), `{ "version": "${version}" }\n`);
  upgrade("1.0.0");
  const edit = (config: string): void => writeFileSync(join(checkout, SCRIPT), `const config = ${config};\n`);
  const adopt = (isTrial = false) => adoptScript(checkout, layout, {}, isTrial);
  return {
    layout,
    edit,
    upgrade,
    adopt,
    text: () => readFileSync(layout.settings, "utf8"),
    script: join(checkout, SCRIPT),
  };
}

const said = (...says: readonly string[]) => ({ ok: true, says });

test("an edit is first shown, written once, and afterwards is in the settings file", () => {
  const { layout, edit, adopt, text } = scene("\uFEFF# mine\n");
  edit("{ maxEmailsPerIP: { perMinute: 20 } }");
  const edited = `${SCRIPT} was edited: limits.mail.per_minute = 20`;
  assert.deepEqual(adopt(true), said(`${edited}; \`config apply\` writes it to ghostinbox.toml.`));
  assert.deepEqual([text(), existsSync(layout.adoptedScript)], ["\uFEFF# mine\n", false]);
  assert.deepEqual(adopt(), said(`${edited}, now in ghostinbox.toml.`));
  assert.equal(text(), "\uFEFF# mine\nlimits.mail.per_minute = 20\n");
  assert.equal(statSync(layout.settings).mode & 0o777, 0o640);
  writeFileSync(layout.settings, "limits.mail.per_minute = 30\n");
  assert.deepEqual(adopt(), said());
  edit("{}");
  assert.deepEqual([adopt(), text()], [said(), "limits.mail.per_minute = 30\n"]);
});

const TRUSTING = '{ whitelist: ["192.0.2.7"] }';
const ALL = 'allow.networks = ["127.0.0.1/32", "::1/128", "192.0.2.7/32"]\n';
const KEPT = said(
  `${SCRIPT} is again as delivered. ghostinbox.toml keeps what was edited there before: allow.networks.`,
);

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

test("nothing is written of a script with a mistake", () => {
  const { edit, adopt, text } = scene("limits.mail.per_hour = 40\n");
  edit("{ maxEmailsPerIP: { perMinute: 20, perHour: 60 } }");
  const adopted = adopt();
  assert.deepEqual(adopted.ok ? [] : adopted.problems.map(({ where, line }) => [where, line]), [
    ["limits.mail.per_hour", 1],
  ]);
  assert.equal(text(), "limits.mail.per_hour = 40\n");
});

test("without a script or a settings file there is nothing to do", () => {
  const { layout, edit, adopt } = scene("");
  assert.deepEqual(adopt(), said());
  edit("{ maxEmailsPerIP: { perMinute: 20 } }");
  rmSync(layout.settings);
  assert.deepEqual([adopt(), existsSync(layout.settings)], [said(), false]);
});

test("a script that is a directory is reported with its path", () => {
  const { adopt, script } = scene("");
  mkdirSync(script);
  assert.throws(adopt, (error: Error) => error.message.startsWith(`${script} cannot be read: `));
});

test("a pipe or an endless file in place of the script is one error, and keeps no start waiting", () => {
  const { adopt, script } = scene("");
  execFileSync("mkfifo", [script]);
  assert.throws(() => adopt(), /security\.js cannot be read: .* is not a regular file\./);
  rmSync(script);
  writeFileSync(script, "");
  truncateSync(script, 5e9);
  assert.throws(() => adopt(), /security\.js cannot be read: .* is larger than such a file can be\./);
});
