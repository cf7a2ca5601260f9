import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory, temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { adoptDestemail } from "./adopt-edits.ts";

/** As the document prints it. */
const PRINTED = "# Edit fail2ban jail configuration\ndestemail = your-alert-email@domain.com\n";
const ADOPTED = 'alerts.email = ["your-alert-email@domain.com"]';

function scene(toml = "") {
  const [checkout, layout] = [temporaryDirectory(), temporaryLayout()];
  writeFileSync(layout.settings, toml);
  mkdirSync(join(checkout, "security"));
  mkdirSync(layout.fail2banConf, { recursive: true });
  return {
    file: join(layout.fail2banConf, "jail.local"),
    rendered: join(layout.fail2banConf, "jail.conf"),
    security: join(checkout, "security", "jail.local"),
    adopt: (isTrial = false, env = {}) => adoptDestemail(checkout, layout, env, isTrial),
    text: () => readFileSync(layout.settings, "utf8"),
  };
}

test("the destemail of each file is first reported, then written once", () => {
  for (const place of ["file", "rendered", "security"] as const) {
    const { [place]: file, adopt, text } = scene("\uFEFF# mine\n");
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
  const { file, rendered, security, adopt, text } = scene();
  writeFileSync(security, "[DEFAULT]\ndestemail = c@example.org\n");
  writeFileSync(rendered, "[DEFAULT]\ndestemail = d@example.org\n");
  writeFileSync(file, "[DEFAULT]\nDestEmail: a@example.org, b@example.net ; both\n# destemail = e@example.org\n");
  adopt();
  assert.equal(text(), 'alerts.email = ["a@example.org", "b@example.net"]\n');
});

test("the settings take precedence, and that is reported", () => {
  const { file, adopt, text } = scene('# mine\nalerts.email = ["me@example.org"]\n');
  writeFileSync(file, PRINTED);
  const unused = `${file}: destemail = your-alert-email@domain.com is not used: `;
  assert.deepEqual(adopt(), [`${unused}line 2 of ghostinbox.toml sets alerts.email = ["me@example.org"], and wins.`]);
  assert.deepEqual(adopt(false, { GHOSTINBOX_ALERTS__EMAIL: "you@example.org" }), [
    `${unused}GHOSTINBOX_ALERTS__EMAIL sets alerts.email.`,
  ]);
  assert.equal(text(), '# mine\nalerts.email = ["me@example.org"]\n');
});

for (const [what, written, why] of [
  ["no address", "nobody", /: destemail = nobody is not used: alerts\.email has an item that must be a mail address/],
  ["a reference", "%(mailto)s", /: destemail = %\(mailto\)s is not used: /],
] as const)
  test(`${what} is reported, and nothing is written`, () => {
    const { file, adopt, text } = scene();
    writeFileSync(file, `destemail = ${written}\n`);
    assert.match(adopt().join("\n"), why);
    assert.equal(text(), "");
  });

test("an unreadable file is reported, and the next one counts", () => {
  const { file, security, adopt, text } = scene();
  mkdirSync(file);
  writeFileSync(security, PRINTED);
  const [unread = "", ...says] = adopt();
  assert.match(unread, /jail\.local is not searched for destemail: /);
  assert.deepEqual([says.length, text()], [1, `${ADOPTED}\n`]);
});

test("the value of Debian's jail.conf, an empty one and invalid settings change nothing", () => {
  const { file, adopt } = scene();
  for (const line of ["destemail = root@localhost", "destemail =", "destemail = ; none", "xdestemail = a@b.org"]) {
    writeFileSync(file, `${line}\n`);
    assert.deepEqual(adopt(), []);
  }
  assert.deepEqual(adoptDestemail("/nowhere", temporaryLayout(), {}), [], "before the first start");
  const invalid = scene("nonsense = 1\n");
  writeFileSync(invalid.file, PRINTED);
  assert.deepEqual([invalid.adopt(), invalid.text()], [[], "nonsense = 1\n"]);
});
