import assert from "node:assert/strict";
import { test } from "node:test";
import { settingsWith } from "../../test/kit/loaded-settings.ts";
import { fileSettings, namedFiles, settingKeys, settingOf, variableOf } from "./schema.ts";

for (const key of settingKeys()) {
  test(`${key}: its default can be read and its sentence is one sentence`, () => {
    const { kind, byDefault, says } = settingOf(key);
    const read = kind.read(byDefault);
    assert.ok(read.ok, `the default ${JSON.stringify(byDefault)} is refused`);
    assert.deepEqual(kind.read(JSON.parse(read.toml)), read, "the canonical text is read as the same value");
    assert.match(says, /^[A-Z].*\.$/);
  });

  test(`${key}: every kind refuses invalid values`, () => {
    const { kind } = settingOf(key);
    for (const wrong of [null, undefined, Number.NaN, -1, {}, [{}], "\0", "no such thing", new Date(0)])
      assert.equal(kind.read(wrong).ok, false, JSON.stringify(wrong));
    if (kind.accepts.startsWith("a whole number")) assert.equal(kind.read(1.5).ok, false);
  });
}

test("no two settings share an environment variable", () => {
  const variables = settingKeys().map(variableOf);
  assert.equal(new Set(variables).size, variables.length);
  for (const variable of variables) assert.match(variable, /^GHOSTINBOX_[A-Z0-9_]+$/);
});

test("every setting that takes a path is found, and the files are named once", () => {
  const found = new Set<string>(fileSettings());
  const some = ["tls.cert", "tls.key", "outbound.relay_password_file", "backup.environment_file", "accounts.follow"];
  for (const key of some) assert.ok(found.has(key), key);
  assert.ok(!found.has("backup.repository"));
  const both = 'tls.cert = "/etc/tls/both.pem"\ntls.key = "/etc/tls/both.pem"\n';
  const unnamed = ["mailboxes.encryption_key", "detection.suricata.file", "detection.psad.file", "certificates.log"];
  const settings = settingsWith(`${both}${unnamed.map((key) => `${key} = "/run/${key}"\n`).join("")}`);
  assert.deepEqual(namedFiles(settings), ["/etc/tls/both.pem"]);
});
