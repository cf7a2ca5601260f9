import assert from "node:assert/strict";
import { statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { put } from "../../../test/kit/files.ts";
import { installed } from "../../../test/kit/needs.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryLayout } from "../../../test/kit/temporary-directory.ts";
import { renderDovecot } from "../dovecot/dovecot-conf.ts";
import { renderSieve } from "../dovecot/sieve.ts";
import { renderLearnScripts } from "../spamassassin/learn-spam.ts";
import { compileSieve } from "./apply.ts";
import { complaint } from "./parts.ts";

/** With the real sievec(1), with Dovecot's configuration. */
describe("the scripts that deliver spam and learn from it", installed("sievec", "doveconf"), () => {
  const prepared = () => {
    const layout = temporaryLayout();
    const files = [
      ...renderDovecot(sampleSite({ layout })).map((file) => ({ ...file, at: dirname(layout.dovecotConf) })),
      ...[renderSieve(), ...renderLearnScripts()].map((file) => ({ ...file, at: layout.sieve })),
    ];
    for (const { at, name, text } of files) put(join(at, name), text);
    const [script, compiled] = [join(layout.sieve, "junk.sieve"), join(layout.sieve, "junk.svbin")];
    // Like a script that was rendered before this second.
    utimesSync(script, 1_000, 1_000);
    return { layout, script, compiled };
  };

  test("each script is compiled, and again only after a change", async () => {
    const { layout, script, compiled } = prepared();
    await compileSieve(layout);
    assert.ok(statSync(compiled).size > 0);
    for (const name of ["learn-spam", "learn-ham"]) assert.ok(statSync(join(layout.sieve, `${name}.svbin`)).size > 0);
    utimesSync(compiled, 2_000, 2_000);
    await compileSieve(layout);
    assert.equal(statSync(compiled).mtimeMs, 2_000_000);
    utimesSync(script, 3_000, 3_000);
    await compileSieve(layout);
    assert.ok(statSync(compiled).mtimeMs > 3_000_000);
  });

  test("a script with a mistake stops the start with the compiler's message", async () => {
    const { layout, script } = prepared();
    put(script, 'require "fileinto";\nfileinto;\n');
    const says = /^SetUpFailure: The script .*junk\.sieve could not be compiled: .*line 2/;
    await assert.rejects(compileSieve(layout), says);
  });
});

test("a checker that is ended because it took too long refuses nothing", () => {
  const ended = { code: 124, stdout: "", stderr: "it took longer than 600 s" };
  const says = "Postfix did not finish its check in time: it took longer than 600 s";
  assert.equal(complaint("Postfix refuses its configuration or its queue", ended), says);
});
