import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { readServiceEnvironment, rewriteSettings, settingsIn, settingsText } from "./settings-text.ts";

const directory = temporaryDirectory();
const at = (name: string): string => join(directory, name);

test("a file is read, even through a link", () => {
  writeFileSync(at("file"), "simulate = true\n");
  symlinkSync(at("file"), at("link"));
  for (const name of ["file", "link"]) assert.equal(settingsText(at(name)), "simulate = true\n");
});

test("a missing file, or a missing target of a link, gives no text", () => {
  symlinkSync(at("nowhere"), at("dangling"));
  for (const name of ["none", "dangling", "file/none"]) assert.equal(settingsText(at(name)), null);
});

test("a rewrite keeps owner and mode, and does not replace a text that another command wrote", () => {
  const path = at("ghostinbox.toml");
  assert.equal(rewriteSettings(path, "", "a\n"), false);
  writeFileSync(path, "a\n", { mode: 0o600 });
  assert.equal(rewriteSettings(path, "a\n", "b\n"), true);
  assert.equal(rewriteSettings(path, "a\n", "c\n"), false);
  assert.deepEqual([readFileSync(path, "utf8"), statSync(path).mode & 0o777], ["b\n", 0o600]);
});

test("anything but a regular UTF-8 file of normal size is refused", () => {
  mkdirSync(at("directory"));
  execFileSync("mkfifo", [at("pipe")]);
  writeFileSync(at("huge"), "");
  truncateSync(at("huge"), 60_000_000);
  writeFileSync(at("latin1"), Buffer.from("# f\xfcr\n", "latin1"));
  for (const [name, says] of [
    ["directory", "is a directory, not a file: remove it"],
    ["pipe", "is not a regular file: remove it"],
    ["huge", "is larger than 1 MB: shorten it"],
    ["latin1", "is not UTF-8: convert it (iconv -f latin1 -t utf-8 FILE > NEW)"],
  ] as const)
    assert.throws(() => settingsText(at(name)), { name: "SettingsUnreadable", message: `${at(name)} ${says}` });
});

test("an unreadable file is reported like a mistake in the settings", () => {
  assert.ok(settingsIn(at("file"), { GHOSTINBOX_DOMAIN: "example.org" }).ok);
  const reason = `${at("pipe")} is not a regular file: remove it.`;
  assert.deepEqual(settingsIn(at("pipe"), {}), { ok: false, reason });
});

test("reads the variables of the running server; none if it never ran", () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "GHOSTINBOX_DOMAIN"), "example.org");
  writeFileSync(join(directory, "GHOSTINBOX_HOSTNAME"), "a\0b");
  const read = readServiceEnvironment(directory);
  assert.deepEqual(read, { GHOSTINBOX_DOMAIN: "example.org", GHOSTINBOX_HOSTNAME: "a\nb" });
  assert.deepEqual(readServiceEnvironment(join(directory, "none")), {});
});
