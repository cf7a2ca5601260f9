import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { layoutOf } from "../../settings/layout.ts";
import { ownFingerprint, seal, verifyBundle } from "./seal.ts";

const ABOUT = { incident: "2026-11-20-x", host: "mail.example.org", at: "2026-11-20T08:00:00.000Z", version: "1" };

describe("a sealed bundle", { skip: lacking({ installed: ["tar", "openssl"] }) }, () => {
  const directory = temporaryDirectory();
  const layout = layoutOf(join(directory, "data"));
  const [content, bundle] = [join(directory, "content"), join(directory, "bundle.tar.gz")];
  let sha256 = "";
  before(async () => {
    for (const name of ["data", "other"]) mkdirSync(join(directory, name));
    mkdirSync(join(content, "logs"), { recursive: true });
    writeFileSync(join(content, "events.jsonl"), "one\ntwo\n");
    writeFileSync(join(content, "empty"), "");
    writeFileSync(join(content, "logs", `${"long-".repeat(18)}mail.log`), "x".repeat(700_000));
    const sealed = await seal(layout, content, bundle, ABOUT);
    assert.ok(sealed.ok, JSON.stringify(sealed));
    assert.deepEqual([sealed.files, sealed.signer], [3, ownFingerprint(layout)]);
    ({ sha256 } = sealed);
  });

  test("fits as it was made", async () => {
    const verified = await verifyBundle(bundle, ownFingerprint(layout));
    assert.deepEqual([verified.faults, verified.sha256], [[], sha256]);
    assert.deepEqual(
      verified.manifest?.files.map(({ bytes }) => bytes),
      [0, 8, 700_000],
    );
  });

  test("can be checked by openssl and sha256sum alone", () => {
    const out = join(directory, "out");
    mkdirSync(out);
    execFileSync("tar", ["-xzf", bundle, "-C", out]);
    const checked = execFileSync(
      "openssl",
      [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "signer.pem",
        "-rawin",
        "-in",
        "MANIFEST.json",
        "-sigfile",
        "MANIFEST.sig",
      ],
      { cwd: out, encoding: "utf8" },
    );
    assert.match(checked, /Signature Verified Successfully/);
    assert.equal(execFileSync("sha256sum", ["MANIFEST.json"], { cwd: out, encoding: "utf8" }).slice(0, 64), sha256);
  });

  for (const [what, change, says] of [
    ["a changed file", (at: string) => appendFileSync(join(at, "events.jsonl"), "x"), /^events\.jsonl was changed$/],
    ["a missing file", (at: string) => rmSync(join(at, "empty")), /^empty is missing$/],
    ["an added file", (at: string) => writeFileSync(join(at, "new"), ""), /^new was added$/],
    [
      "a changed manifest",
      (at: string) => appendFileSync(join(at, "MANIFEST.json"), " "),
      /^MANIFEST\.json was changed: its signature does not fit$/,
    ],
    [
      "a removed signature",
      (at: string) => rmSync(join(at, "MANIFEST.sig")),
      /^it has no MANIFEST\.json with a signature$/,
    ],
  ] as const)
    test(`tells of ${what}`, async () => {
      const at = temporaryDirectory();
      cpSync(content, at, { recursive: true });
      change(at);
      const changed = join(temporaryDirectory(), "changed.tar.gz");
      execFileSync("tar", ["-C", at, "--format=ustar", "-czf", changed, "."]);
      const { faults } = await verifyBundle(changed, ownFingerprint(layout));
      assert.equal(faults.length, 1, faults.join());
      assert.match(faults[0] ?? "", says);
    });

  test("that somebody else has signed again is told, and so is what is no bundle", async () => {
    const other = layoutOf(join(directory, "other"));
    const again = join(directory, "again.tar.gz");
    const at = temporaryDirectory();
    cpSync(join(content, "empty"), join(at, "empty"));
    assert.ok((await seal(other, at, again, ABOUT)).ok);
    assert.deepEqual((await verifyBundle(again, ownFingerprint(other))).faults, []);
    assert.match(
      (await verifyBundle(again, ownFingerprint(layout))).faults[0] ?? "",
      /^it is not signed by this server's key/,
    );
    assert.match((await verifyBundle(join(content, "events.jsonl"), null)).faults[0] ?? "", /cannot be read: /);
    assert.match((await verifyBundle(content, null)).faults[0] ?? "", /cannot be read: EISDIR/);
    const cut = join(directory, "cut.tar.gz");
    cpSync(bundle, cut);
    execFileSync("truncate", ["-s", "300", cut]);
    assert.match((await verifyBundle(cut, null)).faults[0] ?? "", /cannot be read: /);
    const link = temporaryDirectory();
    execFileSync("ln", ["-s", "/etc/passwd", join(link, "x")]);
    execFileSync("tar", ["-C", link, "--format=ustar", "-czf", again, "."]);
    assert.match((await verifyBundle(again, null)).faults[0] ?? "", /x is no file/);
  });
});
