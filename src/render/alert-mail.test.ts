import assert from "node:assert/strict";
import { test } from "node:test";
import { renderAlertRecipients } from "./alert-mail.ts";
import { renderPostfixMaster } from "./postfix-master.ts";
import { sampleSite } from "./sample-site.ts";

const door = /^127\.0\.0\.1:10026 inet .* smtpd\n(?: {2}-o .*\n)+/m;

test("without anybody to write to there is no door for alerts", () => {
  assert.doesNotMatch(renderPostfixMaster(sampleSite()), /alerts|10026/);
});

test("the door for alerts is on loopback, and open for those who are to get them alone", () => {
  const site = sampleSite({ alerts: { recipients: ["anna@example.org", "me@elsewhere.example"] } });
  const [text = ""] = door.exec(renderPostfixMaster(site)) ?? [];
  assert.match(text, /-o \{ smtpd_relay_restrictions = check_recipient_access texthash:[^,]*, reject \}\n/);
  assert.match(text, /-o smtpd_client_restrictions=permit_mynetworks,reject\n/);
  assert.match(renderAlertRecipients(site).text, /\nanna@example\.org OK\nme@elsewhere\.example OK\n$/);
});
