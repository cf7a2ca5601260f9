import assert from "node:assert/strict";
import { test } from "node:test";
import { TEMPLATE, tellingMail } from "./report.ts";

const TOLD = {
  account: "anna@example.test",
  from: "2026-11-20T08:05:30.000Z",
  until: "2026-11-20T09:10:00.000Z",
  contacts: ["Eve +49 30 901820"],
};

test("the mail names the account, the time and whom to ask", () => {
  const { subject, text } = tellingMail(TEMPLATE, TOLD);
  assert.equal(subject, "Please ignore mail from anna@example.test of 2026-11-20");
  assert.match(
    text,
    /^Hello,\n\nbetween 2026-11-20 08:05 and 2026-11-20 09:10 \(UTC\) somebody else used the account anna@/,
  );
  assert.match(text, /\nQuestions: Eve \+49 30 901820\n$/);
  assert.doesNotMatch(tellingMail(TEMPLATE, { ...TOLD, contacts: [] }).text, /Questions|\{/);
});

test("a template of one's own keeps what it does not know", () => {
  assert.deepEqual(tellingMail("About {day}\n\n{account} {other}", TOLD), {
    subject: "About 2026-11-20",
    text: "anna@example.test {other}\n",
  });
});
