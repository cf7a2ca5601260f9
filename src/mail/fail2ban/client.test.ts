import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { patience } from "../../../test/kit/patience.ts";
import { hung, saying, servedSocket } from "../../../test/kit/served.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { exchange } from "../probes/exchange.ts";
import { jailsOf, PING, parseJailNames, parseJails } from "./client.ts";

test("a missing Fail2ban is reported with the client's own words, and a slow one is not waited for", {
  skip: lacking({ installed: ["fail2ban-client"] }),
}, async () => {
  const files = { fail2banConf: "/etc/fail2ban", fail2banSocket: join(temporaryDirectory(), "none.sock") };
  const asked = await jailsOf(files);
  assert.ok(!asked.ok && asked.reason.includes("none.sock"), JSON.stringify(asked));
  assert.equal((await jailsOf(files, { signal: AbortSignal.abort() })).ok, false);
});

test("as fail2ban-client 1.0.2 prints it", () => {
  const status = "Status\n|- Number of jail:\t2\n`- Jail list:\tdovecot, postfix-rbl\n";
  assert.deepEqual(parseJailNames(status), ["dovecot", "postfix-rbl"]);
  assert.deepEqual(parseJailNames("Status\n`- Jail list:\t\n"), []);
  const jail = (name: string, [watched, found, reports]: readonly number[]): string => `Status for the jail: ${name}
|- Filter
|  |- Currently failed:\t${watched}
|  |- Total failed:\t${found}
|  \`- File list:\t/srv/mail/log/mail/mail.log
\`- Actions
   |- Currently banned:\t0
   |- Total banned:\t${reports}
   \`- Banned IP list:\t
`;
  const prompt = "fail2ban> ";
  const asked = `Fail2Ban v1.0.2 reads log file that contains password failure report\n\n${prompt}`;
  const printed = `${asked}${jail("dovecot", [1, 13, 4])}${prompt}${jail("postfix-rbl", [0, 0, 2])}${prompt}`;
  assert.deepEqual(parseJails(printed), [
    { name: "dovecot", watched: 1, found: 13, reports: 4 },
    { name: "postfix-rbl", watched: 0, found: 0, reports: 2 },
  ]);
  assert.deepEqual(parseJails(asked), []);
});

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
  const works = async () => assert.deepEqual(await exchange({ path: at("sock") }, PING, 1_000), { ok: true });
  await t.waitFor(works, { timeout: patience(20_000), interval: 100 });
  fail2ban.kill("SIGSTOP");
  assert.deepEqual(await exchange({ path: at("sock") }, PING, 300), hung("gave no answer within 0.3 s"));
});

test("an answer without the expected word, or without its end, does not count", async () => {
  for (const words of ["\x80\x05nothing<F2B_END_COMMAND>", "\x80\x05pong"])
    assert.ok(!(await exchange({ path: await servedSocket(saying(words)) }, PING, 100)).ok, words);
});
