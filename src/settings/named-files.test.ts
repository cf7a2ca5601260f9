import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { fileSettings, namedFiles } from "./schema.ts";

test("every setting that takes a path is found, and the files are named once", () => {
  for (const key of [
    "tls.cert",
    "tls.key",
    "outbound.relay_password_file",
    "backup.environment_file",
    "accounts.follow",
  ])
    assert.ok(
      fileSettings().some((found) => found === key),
      key,
    );
  assert.ok(!fileSettings().some((key) => key === "backup.repository"));
  const toml =
    'domains = ["example.test"]\nmailboxes.encryption_key = "/run/mail.pem"\n[tls]\ncert = "/etc/tls/both.pem"\nkey = "/etc/tls/both.pem"\n';
  const loaded = loadSettings(toml, {});
  assert.ok(loaded.ok);
  assert.deepEqual(namedFiles(loaded.settings), ["/etc/tls/both.pem"]);
});
