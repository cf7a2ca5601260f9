import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { inRspamdLua } from "../../../test/kit/rspamd-lua.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { renderRspamd, rspamdService } from "./rspamd-conf.ts";

const site = sampleSite();

function textOf(name: string): string {
  return renderRspamd(site).find((file) => file.name === name)?.text ?? "";
}

test("mail is signed only for users who signed in", () => {
  assert.match(textOf("rspamd.conf"), /sign_authenticated = true;\n\s+sign_local = false;/);
});

test("rspamd reads nothing of the packaged configuration", () => {
  const command = rspamdService(site.layout).run.join("\n");
  for (const name of ["CONFDIR", "LOCAL_CONFDIR"]) assert.ok(command.includes(` --var=${name}=/srv/mail/conf/rspamd `));
  for (const name of ["DBDIR", "RUNDIR", "LOGDIR"]) assert.ok(command.includes(` --var=${name}=/srv/mail/lib/rspamd `));
});

test("of Rspamd's modules, only those for authenticity are loaded", () => {
  const loaded = [...textOf("rspamd.conf").matchAll(/path = "\/usr\/share\/rspamd\/plugins\/(\w+)\.lua"/g)];
  const names = loaded.map(([, name]) => name);
  assert.deepEqual(names, ["spf", "dmarc", "dkim_signing", "milter_headers"]);
});

const RSPAMD = ["rspamadm", "/usr/share/rspamd/effective_tld_names.dat"];
describe("rspamd itself", installed(...RSPAMD), () => {
  const directory = temporaryDirectory();
  before(() => {
    for (const { name, text } of renderRspamd(site)) writeFileSync(join(directory, name), text);
  });

  test("defers a mail over which a rule failed", () => {
    const program = [
      "local rules = {}",
      "rspamd_config = { register_symbol = function(_, rule) rules[rule.name] = rule.callback end }",
      `dofile("${join(directory, "rules.lua")}")`,
      "local function judge(checked) rules.GHOSTINBOX_VERDICT({",
      "  cache_get = function() return checked end, set_pre_result = function(_, action) print(action) end",
      "}) end",
      "judge(nil)",
      // This task lacks what the verdict asks it for.
      "judge(true)",
    ];
    assert.deepEqual(inRspamdLua(program.join("\n")), ["soft reject", "soft reject"]);
  });

  test("finds the organization that a name belongs to", () => {
    const expected = {
      "example.com": "example.com",
      "A.B.Example.COM.": "example.com",
      "a.b.example.co.uk": "example.co.uk",
      "co.uk": "co.uk",
      // The list has "*.ck" and "!www.ck".
      "x.y.www.ck": "www.ck",
      "x.a.b.ck": "a.b.ck",
      "mail.unlisted.test": "unlisted.test",
      test: "test",
    };
    const program = [
      "rspamd_config = { register_symbol = function() end }",
      `dofile("${join(directory, "rules.lua")}")`,
      'local names = require "rspamd_util"',
      ...Object.keys(expected).map((name) => `print(names.get_tld("${name}"))`),
    ];
    assert.deepEqual(inRspamdLua(program.join("\n")), Object.values(expected));
  });
});
