import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { jailsOf, parseJailNames, parseJails } from "./client.ts";

test("a missing Fail2ban is reported with the client's own words, and a slow one is not waited for", {
  skip: lacking({ installed: ["fail2ban-client"] }),
}, async () => {
  const files = { fail2banConf: "/etc/fail2ban", fail2banSocket: join(temporaryDirectory(), "none.sock") };
  const asked = await jailsOf(files);
  assert.ok(!asked.ok && asked.reason.includes("none.sock"), JSON.stringify(asked));
  assert.equal((await jailsOf(files, { signal: AbortSignal.abort() })).ok, false);
});

test("the output of fail2ban-client 1.0.2 is read", () => {
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
