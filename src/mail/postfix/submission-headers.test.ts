import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { lacking } from "../../../test/kit/needs.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { renderSubmissionHeaders } from "./master-cf.ts";

/** Asks the real postmap(1) what cleanup(8) would do with a header. */
describe("headers of submitted mail", { skip: lacking({ installed: ["postmap"] }) }, () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, "main.cf"), "");
  writeFileSync(join(directory, "table"), renderSubmissionHeaders().text);
  const verdict = (header: string): string => {
    const input = `${header}\n\nbody\n`;
    const argv = ["-c", directory, "-h", "-q", "-", `regexp:${join(directory, "table")}`];
    try {
      // KEY, a tab, and the action.
      const answer = execFileSync("postmap", argv, { input, encoding: "utf8", stdio: "pipe" });
      return answer.slice(answer.lastIndexOf("\t") + 1).trim();
    } catch {
      return "";
    }
  };

  test("the user's address and mail program are removed", () => {
    for (const header of [
      "User-Agent: Mozilla Thunderbird",
      "X-Mailer: Apple Mail (2.3774)",
      "X-Originating-IP: [198.51.100.7]",
      "x-php-originating-script: 1000:mail.php",
      "Received: from [10.0.0.7] (laptop.lan [10.0.0.7]) by webmail.example.org; Thu, 1 Jan 2026 00:00:00 +0000",
    ])
      assert.equal(verdict(header), "IGNORE", header);
  });

  test("our own trace stays, without the client", () => {
    const received = [
      "Received: from [192.168.1.5] (dsl.example.net [198.51.100.7])",
      "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))",
      "\t(No client certificate requested)",
      "\tby mail.example.org (Postfix) with ESMTPSA id 4Xy1Zk2p",
      "\tfor <bob@example.net>; Thu,  1 Jan 2026 00:00:00 +0000 (UTC)",
    ].join("\n");
    const replaced = verdict(received);
    assert.match(replaced, /^REPLACE Received: by mail\.example\.org with ESMTPSA id 4Xy1Zk2p; Thu, +1 Jan 2026/);
    assert.doesNotMatch(replaced, /198\.51|192\.168|bob|dsl/);
  });

  test("whatever else a mail says stays", () => {
    for (const header of ["Subject: X-Mailer: no", "From: <anna@example.org>", "Mime-Version: 1.0", "X-Priority: 1"])
      assert.equal(verdict(header), "", header);
  });
});
