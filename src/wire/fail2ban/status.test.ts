import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJailNames, parseJailStatus } from "./status.ts";

test("as fail2ban-client 1.0.2 prints it", () => {
  const status = "Status\n|- Number of jail:\t2\n`- Jail list:\tdovecot, postfix-rbl\n";
  assert.deepEqual(parseJailNames(status), ["dovecot", "postfix-rbl"]);
  assert.deepEqual(parseJailNames("Status\n`- Jail list:\t\n"), []);
  const jail = `Status for the jail: dovecot
|- Filter
|  |- Currently failed:\t1
|  |- Total failed:\t13
|  \`- File list:\t/srv/mail/log/mail/mail.log
\`- Actions
   |- Currently banned:\t0
   |- Total banned:\t4
   \`- Banned IP list:\t
`;
  assert.deepEqual(parseJailStatus("dovecot", jail), { name: "dovecot", watched: 1, found: 13, reports: 4 });
});
