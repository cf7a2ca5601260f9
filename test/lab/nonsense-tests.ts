import assert from "node:assert/strict";
import { test } from "node:test";
import { PASSWORD, Product } from "./product.ts";
import type { Running } from "./with-product.ts";

const GOOD = `${PASSWORD}\n`;
/** The command, its exit code, and a word of its one-line error. */
const NONSENSE: readonly (readonly [readonly string[], number, RegExp, string?])[] = [
  [["frobnicate"], 2, /frobnicate/],
  [["ban", "not-an-ip"], 2, /not-an-ip/],
  [["ban", "0.0.0.0/0"], 1, /./],
  [["ban", "198.51.100.7", "--for", "forever"], 2, /forever/],
  [["ban", "198.51.100.7", "--for", "2h", "--permanent"], 2, /./],
  [["unban", "198.51.100.7"], 1, /198\.51\.100\.7/],
  [["allow", "add", "zzz"], 2, /zzz/],
  [["allow", "remove", "198.51.100.7"], 1, /198\.51\.100\.7/],
  [["events", "--limit", "-1"], 2, /limit|-1/],
  [["events", "--type", "no such type"], 2, /no such type/],
  [["account", "add", "no-at-sign", "--password-stdin"], 2, /no-at-sign/, GOOD],
  [["account", "add", "short@example.test", "--password-stdin"], 1, /too short/, "short\n"],
  [["account", "add", "anna@example.test", "--password-stdin"], 1, /anna@example\.test/, GOOD],
  [["account", "suspend", "nobody@example.test"], 1, /nobody@example\.test/],
  [["account", "remove", "nobody@example.test", "--yes"], 1, /nobody@example\.test/],
  [["alias", "remove", "nobody@example.test"], 1, /nobody@example\.test/],
  [["token", "revoke", "no-such"], 1, /no-such/],
  [["token", "create", "bad name\n"], 2, /./],
  [["admin", "passwd", "--password-stdin"], 1, /./, "x\n"],
];

/** For a server with the account anna@example.test. */
export function nonsenseTests({ lab, product }: Running): void {
  for (const [argv, code, says, input = ""] of NONSENSE)
    test(`ghostinbox ${argv.join(" ").trim()}`, async () => {
      const ran = await product.cli(argv, { input });
      assert.equal(ran.code, code, ran.stdout + ran.stderr);
      assert.match(ran.stderr, says);
      assert.doesNotMatch(ran.stdout + ran.stderr, /\n\s+at |undefined|\[object|SQLITE|ENOENT/);
      // One line says what is wrong; a second may say what to do.
      assert.match(ran.stderr.trim(), /^.{1,199}(\n.{0,199})?$/);
    });

  for (const [settings, says] of [
    [{ GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "many" }, /GHOSTINBOX_LIMITS__MAIL__PER_MINUTE/],
    [{ GHOSTINBOX_LIMITZ__MAIL__PER_MINUTE: "5" }, /GHOSTINBOX_LIMITZ__MAIL__PER_MINUTE/],
    [{ GHOSTINBOX_PORTS__IMAPS: "25" }, /25/],
  ] as const)
    test(`a start with ${JSON.stringify(settings)}`, async () => {
      const data = `${lab.directory}/other-${Object.keys(settings)[0]}`;
      const other = new Product(lab, { ...settings }, { data, isByNpm: false });
      assert.equal(await other.startInVain(), 1, other.output);
      assert.match(other.output.trim().split("\n").at(-1) ?? "", says);
      assert.equal(other.output.match(/^ghostinbox:/gm)?.length, 1, other.output);
      assert.doesNotMatch(other.output, /\n\s+at /, "no stack trace");
    });

  test("a start while the server is running names the port in use", async () => {
    const other = new Product(lab, {}, { data: `${lab.directory}/beside`, isByNpm: false });
    assert.equal(await other.startInVain(), 1);
    assert.match(other.output, /^ghostinbox: .*\b(25|465|587|993|3000)\b/m);
  });
}
