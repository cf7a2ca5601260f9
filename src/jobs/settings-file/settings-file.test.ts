import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { mountedFile } from "../../../test/kit/mounts.ts";
import { OWN_ETC, OwnEtc } from "../../../test/kit/own-etc.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import type { Layout } from "../../settings/layout.ts";
import { readSettings } from "./settings-file.ts";

const FILE = "src/jobs/settings-file/settings-file.ts";

function withFile(text: string): Layout {
  const layout = temporaryLayout();
  writeFileSync(layout.settings, text);
  return layout;
}

test("the file and the environment are read; the environment wins", () => {
  const layout = withFile('domains = ["example.org"]\nhostname = "a.example.org"\n');
  assert.equal(readSettings(layout, {}).settings.hostname, "a.example.org");
  const { settings } = readSettings(layout, { GHOSTINBOX_HOSTNAME: "b.example.org" });
  assert.equal(settings.hostname, "b.example.org");
});

test("a missing domain or one mistake is one sentence; several mistakes have a line each", () => {
  const none = { name: "SetUpFailure", message: /^No mail domain is set/ };
  assert.throws(() => readSettings(withFile("# nothing yet\n"), {}), none);
  assert.throws(() => readSettings(withFile('domain = ["example.org"]\n'), {}), {
    name: "SetUpFailure",
    message: /^domain is not a setting; the nearest is domains\.$/,
  });
  const layout = withFile('domain = ["example.org"]\n[limits.mail]\nper_minute = 0\n');
  const message = new RegExp(`^${layout.settings} and the environment:\\n {2}.*\\n {2}.*$`);
  assert.throws(() => readSettings(layout, {}), { message });
});

test("a directory in place of the file is named", () => {
  const layout = temporaryLayout();
  mkdirSync(layout.settings);
  assert.throws(() => readSettings(layout, {}), {
    name: "SetUpFailure",
    message: `${layout.settings} is a directory, not a file: remove it, and start again.`,
  });
});

describe("a machine that starts for the first time", OWN_ETC, () => {
  test("asks for a domain although its host name has one, which may be the provider's", async () => {
    const [etc, hostName] = [new OwnEtc(), "vm.provider.example"];
    etc.write("hosts", ["127.0.0.1 localhost", `127.0.1.1 ${hostName} vm`]);
    const read = await etc.call([FILE, "readSettings", temporaryLayout(), {}], { hostName });
    assert.match(JSON.stringify(read), /SetUpFailure: No mail domain is set/);
  });

  test("the first settings are written for root and the guard, once", async () => {
    const etc = new OwnEtc();
    etc.add("ghostinbox", 61_000);
    const layout = temporaryLayout();
    const write = (domain: string) => etc.call([FILE, "writeFirstSettings", layout, loaded(domain)]);
    assert.deepEqual(await write("example.org"), ["GHOSTINBOX_DOMAIN"], "the file has it now");
    const text = readFileSync(layout.settings, "utf8");
    assert.match(text, /^domains = \["example\.org"\]/m);
    const corrected = loadValid(text, { GHOSTINBOX_DOMAIN: "example.net" }).settings;
    assert.equal(corrected.hostname, "mail.example.net", "a mistyped domain does not stay in the name");
    const access = (path = layout.settings): readonly number[] => {
      const { mode, uid, gid } = statSync(path);
      return [mode & 0o777, uid, gid];
    };
    const usual = [0o640, 0, etc.numberOf("group", "ghostinbox")];
    assert.deepEqual(access(), usual);
    mkdirSync(layout.run, { mode: 0o755 });
    await etc.call([FILE, "recordInForce", layout, text]);
    assert.equal(readFileSync(layout.settingsInForce, "utf8"), text);
    assert.deepEqual(access(layout.settingsInForce), usual);
    chmodSync(layout.settings, 0o644);
    assert.deepEqual(await write("example.org"), ["GHOSTINBOX_DOMAIN"], "the start that wrote it failed later");
    assert.deepEqual(await write("example.net"), []);
    assert.equal(readFileSync(layout.settings, "utf8"), text, "by then it belongs to the administrator");
    assert.deepEqual(access(), usual);
    put(layout.engineDb, "");
    assert.deepEqual(await write("example.net"), [], "it failed after it had made the databases");
    mkdirSync(layout.backupQueue, { recursive: true });
    assert.deepEqual(await write("example.net"), ["GHOSTINBOX_DOMAIN"], "the file was restored");
    put(join(layout.environment, "GHOSTINBOX_DOMAIN"), "example.org");
    assert.deepEqual(await write("example.net"), []);
    using _ = mountedFile(layout.settings, "-o", "ro");
    assert.deepEqual(await write("example.net"), [], "a read-only mount needs no change");
  });
});

function loaded(domain: string) {
  return loadValid(null, { GHOSTINBOX_DOMAIN: domain });
}

test("the guard may read a replaced settings file again; a directory is kept", OWN_ETC, async () => {
  const etc = new OwnEtc();
  etc.add("ghostinbox", 61_000);
  const layout = temporaryLayout();
  const restore = async () => assert.equal(await etc.call([FILE, "restoreSettingsAccess", layout]), null);
  await restore();
  writeFileSync(layout.settings, "");
  chmodSync(layout.settings, 0o600);
  chownSync(layout.settings, 65_534, 0);
  await restore();
  const { mode, uid, gid } = statSync(layout.settings);
  assert.deepEqual([mode & 0o7777, uid, gid], [0o640, 0, etc.numberOf("group", "ghostinbox")]);
  const another = temporaryLayout();
  mkdirSync(another.settings, { mode: 0o700 });
  assert.equal(await etc.call([FILE, "restoreSettingsAccess", another]), null);
  assert.equal(statSync(another.settings).mode & 0o777, 0o700);
});
