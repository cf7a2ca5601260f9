import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { saying, servedSocket } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { probeFail2ban } from "./client.ts";

const NEEDS = { skip: lacking({ installed: ["fail2ban-server"] }) };

test("a running Fail2ban answers its ping, and a frozen one does not", NEEDS, async (t) => {
  const directory = temporaryDirectory();
  const at = (name: string): string => join(directory, name);
  const files = [`socket = ${at("sock")}`, `pidfile = ${at("pid")}`, "dbfile = None", "logtarget = STDERR"];
  for (const folder of ["filter.d", "action.d"]) mkdirSync(at(folder));
  const server = ["[DEFAULT]", "loglevel = ERROR", "syslogsocket = auto", ...files, "[Definition]", "[Thread]", ""];
  writeFileSync(at("fail2ban.conf"), server.join("\n"));
  writeFileSync(at("jail.conf"), "[DEFAULT]\nenabled = false\n");
  const where = ["-c", directory, "-s", at("sock"), "-p", at("pid")];
  const fail2ban = spawn("fail2ban-server", ["-f", "-x", ...where, "start"], { stdio: "ignore" });
  t.after(() => fail2ban.kill("SIGKILL"));
  await t.waitFor(async () => assert.deepEqual(await probeFail2ban(at("sock"), 1_000), { ok: true }), {
    timeout: patience(20_000),
    interval: 100,
  });
  fail2ban.kill("SIGSTOP");
  const frozen = await probeFail2ban(at("sock"), 300);
  assert.deepEqual(frozen, { ok: false, hangs: true, says: "gave no answer within 0.3 s" });
});

test("an answer without the word, or without its end, is none", async () => {
  for (const words of ["\x80\x05nothing<F2B_END_COMMAND>", "\x80\x05pong"])
    assert.ok(!(await probeFail2ban(await servedSocket(saying(words)), 100)).ok, words);
});
