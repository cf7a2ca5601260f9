import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CHECKOUT } from "./checkout.ts";
import { WebClient } from "./web-client.ts";
import type { Running } from "./with-product.ts";

/** The output of each line, and its exit code if it fails, in the order of the README. */
const EXPECTED: readonly (readonly [RegExp, number?])[] = [
  [/alice@example\.org/],
  [/^$/],
  [/^$/],
  [/It works\./],
  [/EMAIL_ACCEPTED/],
  [/203\.0\.113\.7/],
  [/it scanned us/],
  [/203\.0\.113\.7/],
  [/this machine/i, 1],
  [/postfix/i],
  [/mails/i],
  [/alice@example\.org is removed/],
];

/** For a server for example.org with the defaults, without an administrator's password, behind `stopFirstStarts`. */
export function tourTests({ lab, product }: Running): void {
  test("after first starts that were stopped early, the next completes, and prints the password of the dashboard", async () => {
    const [, password = ""] = /^Password of the dashboard, .*: {2}(\S+)$/m.exec(product.output) ?? [];
    const page = await WebClient.local(lab.server);
    assert.equal((await page.ask("POST", "/api/v1/login", { body: { password } })).status, 200, product.output);
    assert.doesNotMatch(product.output, /rollback/, "there was nothing to upgrade");
  });

  test("each line does what the text around it says", async () => {
    const lines = tour();
    assert.equal(lines.length, EXPECTED.length);
    for (const [index, line] of lines.entries()) {
      const [printed = /^/, code = 0] = EXPECTED[index] ?? [];
      const ran = await product.shell(line);
      assert.equal(ran.code, code, `${line}\n${ran.stdout}${ran.stderr}`);
      assert.match(ran.stdout + ran.stderr, printed, line);
    }
  });
}

function tour(): readonly string[] {
  const [, section = ""] = readFileSync(join(CHECKOUT, "README.md"), "utf8").split(/^## A tour.*$/m);
  const [body = ""] = section.split(/^## /m);
  return Array.from(body.matchAll(/^ {4}(.+)$/gm), ([, line = ""]) => line.trim());
}
