import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { installed } from "../../../test/kit/needs.ts";
import { headerActions } from "../../../test/kit/postmap.ts";
import { sampleSite } from "../../../test/kit/sample-site.ts";
import { LANES } from "./main-cf.ts";
import { renderPostfixMaster, renderSubmissionHeaders } from "./master-cf.ts";

/** Services of master.cf with their `-o` lines. */
function services(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let options: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("  -o ")) options.push(line.slice("  -o ".length));
    else if (line !== "" && !line.startsWith("#")) found.set(line.split(" ").slice(0, 2).join(" "), (options = []));
  }
  return found;
}

const ports = { smtp: 2525, submission: 5870, submissions: 4650, imaps: 9930, loginPolicy: 10_025, sieveMail: 26 };
const master = services(renderPostfixMaster(sampleSite({ ports })));

test("each service listens on its port, and nothing else does", () => {
  const doors = [...master.keys()].filter((service) => service.endsWith(" inet"));
  assert.deepEqual(doors, ["2525 inet", "5870 inet", "4650 inet", "127.0.0.1:26 inet"]);
  assert.deepEqual(master.get("2525 inet"), []);
});

test("where Dovecot submits mail, only clients that the guard knows as Dovecot are accepted, and mails are counted", () => {
  const options = master.get("127.0.0.1:26 inet") ?? assert.fail();
  for (const option of [
    "{ smtpd_client_restrictions = reject_unauth_pipelining, $ghostinbox_guard, reject }",
    "smtpd_client_event_limit_exceptions=",
    "smtpd_client_message_rate_limit=60",
  ])
    assert.ok(options.includes(option), option);
});

test("services that look names up are chrooted, so that they ask our resolver", () => {
  const lines = renderPostfixMaster(sampleSite()).split("\n");
  const asking = lines.filter((line) => / (smtpd|smtp)$/.test(line));
  assert.equal(asking.length, 8 + LANES.length);
  for (const line of asking) assert.equal(line.split(" ")[4], "y", line);
});

test("cleanup has room for the envelope of a mail of just the largest size", () => {
  const lines = renderPostfixMaster(sampleSite({ messageSizeBytes: 65_536 })).split("\n");
  const cleanups = lines.flatMap((line, i) => (line.endsWith(" cleanup") ? [lines[i + 1]] : []));
  assert.equal(cleanups.length, 4);
  for (const next of cleanups) assert.equal(next, `  -o message_size_limit=${65_536 + 1024 * 1024}`);
});

test("a user's mail without a date gets one", () => {
  assert.ok(master.get("cleanup-submission unix")?.includes("always_add_missing_headers=yes"));
});

test("mail that is forwarded loses the tag of the spam filter", installed("postmap"), () => {
  const [checks = ""] = master.get("forwards unix")?.filter((option) => option.includes("smtp_header_checks")) ?? [];
  const [, rule] =
    /= regexp:\$config_directory\/proof-removal, regexp:\{ \{ (.*) \} \} \}$/.exec(checks) ?? assert.fail(checks);
  const actions = (header: string) => headerActions(`${rule?.replaceAll("$$", "$")}\n`, `${header}\n\n`);
  assert.deepEqual(actions("Subject: [SPAM] Your invoice"), ["REPLACE Subject: Your invoice"]);
  for (const header of ["Subject: Your [SPAM] invoice", "X-Subject: [SPAM] x"]) assert.deepEqual(actions(header), []);
});

describe("headers of submitted mail", installed("postmap"), () => {
  const verdicts = (header: string) => headerActions(renderSubmissionHeaders().text, `${header}\n\nbody\n`);

  test("the user's address and mail program are removed", () => {
    for (const header of [
      "User-Agent: Mozilla Thunderbird",
      "X-Mailer: Apple Mail (2.3774)",
      "X-Originating-IP: [198.51.100.7]",
      "x-php-originating-script: 1000:mail.php",
      "Received: from [10.0.0.7] (laptop.lan [10.0.0.7]) by webmail.example.org; Thu, 1 Jan 2026 00:00:00 +0000",
    ])
      assert.deepEqual(verdicts(header), ["IGNORE"], header);
  });

  test("other header fields stay", () => {
    for (const header of ["Subject: X-Mailer: no", "From: <anna@example.org>", "Mime-Version: 1.0", "X-Priority: 1"])
      assert.deepEqual(verdicts(header), [], header);
  });
});
