import assert from "node:assert/strict";
import { test } from "node:test";
import { loadSettings } from "./load.ts";
import { readExportSettings, settingsForExport } from "./program-settings.ts";

test("the exporter reads the values of the settings, wherever they came from, and no others", () => {
  const loaded = loadSettings(
    'domains = ["example.org"]\nalerts.ntfy = ["https://ntfy.sh/secret"]\n[export.syslog]\nenabled = true\nhost = "siem.example.net"\n',
    { GHOSTINBOX_EXPORT__SYSLOG__PORT: "20514" },
  );
  assert.ok(loaded.ok);
  const text = settingsForExport(loaded.sources);
  assert.doesNotMatch(text, /secret/);
  const read = readExportSettings(text);
  assert.ok(read.ok);
  const { hostname, "export.syslog.host": host, "export.syslog.port": port } = read.settings;
  assert.deepEqual([hostname, host, port], ["mail.example.org", "siem.example.net", 20_514]);
});

test("an export needs a receiver, and a certificate its key", () => {
  const problems = (toml: string): string => {
    const loaded = loadSettings(`domains = ["example.org"]\n[export.syslog]\n${toml}`, {});
    return loaded.ok ? "" : loaded.problems.map(({ says }) => says).join(" ");
  };
  assert.match(problems("enabled = true\n"), /^export\.syslog\.host must be set too, because export\.syslog\.enabled/);
  assert.match(problems('cert = "/etc/x.pem"\n'), /^export\.syslog\.key must be set too/);
  assert.equal(readExportSettings("export.syslog.port = 0\n").ok, false);
});
