import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { en as now } from "../../dashboard/texts/now.ts";
import { health } from "../../src/admin/declare/items.ts";
import type { Layout } from "../../src/settings/layout.ts";
import { type LabBrowser, PAGE } from "./browser.ts";
import { MARKUP } from "./dashboard-looks.ts";
import { pressSurely } from "./dashboard-steps.ts";
import type { Host } from "./host.ts";
import { enter, hasFocus, press, reach } from "./keyboard.ts";
import { looksWell, showsWell } from "./looks.ts";
import { ANNA, sendMail } from "./mail.ts";
import type { Product } from "./product.ts";
import { submit } from "./submitted.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** No server answers for its domain. */
const NOBODY = "nobody@sender.test";
export const HOSTILE = `"${MARKUP.replaceAll('"', "'")}"@sender.test`;

/** Sends one mail from each sender, which must wait. */
export async function putIntoQueue(server: Host, { postfixConf }: Layout, senders: readonly string[]): Promise<void> {
  for (const sender of senders) {
    const script = 'printf "Subject: waits\\n\\nHello.\\n" | sendmail -C "$0" -f "$1" "$2"';
    await server.mustExec(["sh", "-c", script, postfixConf, sender, NOBODY]);
  }
}

/** Handles a waiting mail on the page Mail. The page of `browser` is signed in, and has just proved its password. */
export async function letsWaitAndDeletes({ page }: LabBrowser, product: Product): Promise<void> {
  await page.goto(`${PAGE}#/mail?sender=${ANNA}`);
  const mail = page.getByRole("listitem").filter({ hasText: NOBODY });
  await until("it was tried in vain", async () => {
    await press(page.getByRole("button", { name: "Refresh" }));
    return (
      (await mail.getByText(/deferred/).count()) === 1 && (await mail.getByText("No attempt has failed").count()) === 0
    );
  });
  await holdAndRelease(page, product);
  await deleteWithProof(page, product);
  await page.goto(`${PAGE}#/mail`);
  await page.getByText("<script>alert(2)</script>").first().waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
}

async function holdAndRelease(page: Page, product: Product): Promise<void> {
  let holds = 0;
  page.on("request", (request) => (holds += Number(request.url().endsWith("/api/v1/queue/hold"))));
  await page.getByRole("button", { name: /^Hold: [0-9A-Za-z]+$/ }).dblclick();
  await page.getByText("On hold: 1 mail.").waitFor();
  assert.equal(holds, 1, "a double click acts once");
  await page.getByText("on hold by hand").waitFor();
  await hasFocus(page.getByRole("button", { name: /^Release: [0-9A-Za-z]+$/ }));
  assert.match(JSON.stringify(await product.json(["queue", "list"])), /"heldFor":"root"/);
  const undo = page.getByRole("button", { name: "Undo" }).first();
  await reach(undo);
  await looksWell(page, "a mail on hold, and what undoes it");
  await press(undo);
  await page.getByText("Released: 1 mail.").waitFor();
  await page.getByText("on hold by hand").waitFor({ state: "hidden" });
}

async function deleteWithProof(page: Page, product: Product): Promise<void> {
  // The button for all mail of the search.
  await page.getByRole("button", { name: `Delete: ${ANNA}`, exact: true }).waitFor();
  await press(page.getByRole("button", { name: /^Delete: [0-9A-Za-z]+$/ }));
  await page.getByRole("button", { name: /^Delete 1 mail for good: [0-9A-Za-z]+$/ }).waitFor();
  await press(page.getByRole("checkbox", { name: "Select all shown" }), "Space");
  await page.getByText("1 selected").waitFor();
  await press(page.getByRole("button", { name: "Delete", exact: true }));
  const surely = page.getByRole("button", { name: "Delete 1 mail for good" });
  await showsWell(surely, "the question whether to delete a mail");
  await press(surely);
  await page.getByText("Deleted: 1 mail.").waitFor();
  await page.getByText("No waiting mail matches.").waitFor();
  const events = JSON.stringify(await product.json(["events", "--type", "QUEUE_DELETED"]));
  assert.match(events, /"actor":"web:admin via 127\.0\.0\.1"/);
}

const HELD = `${PAGE}#/mail?show=held`;
const BEN = "ben@example.test";
const THIEF = "198.51.100.76";
/** More recipients than an account may write to from a new place. */
const MANY = 60;
const STRANGE = [`"' onerror='alert\`1\`"@sender.test`, `${"w".repeat(64)}@sender.test`] as const;

/** Deletes one of a thief's mails on the page Mail and sends the next one; then the account is free. */
export async function decidesOnHeldMail({ page }: LabBrowser, running: Running): Promise<void> {
  const strangers = [...STRANGE, ...Array.from({ length: MANY }, (_, i) => `stranger${i}@sender.test`)];
  await page.goto(HELD);
  await page.getByText("No account's mail is held.").waitFor();
  assert.equal(await submit(running, BEN, THIEF, ...strangers), 250);
  const decide = page.getByRole("button", { name: `Decide on the mail of ${BEN}` });
  await decide.waitFor();
  await page.goto(`${PAGE}#/now`);
  const task = page.getByRole("listitem").filter({ hasText: `1 mail of ${BEN} is held` });
  await task.waitFor();
  await agreesWithStatus(page, running.product);
  await looksWell(page, "mail that waits for the owner's decision");
  await press(task.getByRole("link", { name: "See the held mail" }));
  const list = page.getByRole("list", { name: "Accounts whose mail is held" });
  await showsWell(list.getByText(/^62 strangers, limit \d+/), "an account whose mail is held");
  const part = await opened(page);
  assert.equal(await part.getByRole("button").first().textContent(), "Cancel", "the first button changes nothing");
  await press(part.getByText("and 57 more"));
  await showsWell(part.getByText("stranger59@sender.test"), "a decision on held mail");
  await pressSurely(part, "Delete 1 mail", "the question whether to delete held mail");
  await page.getByText(`Deleted: 1 mail of ${BEN}. New mail is still held.`).waitFor();
  await hasFocus(decide);
  await looksWell(page, "held mail that was deleted");
  assert.equal(await submit(running, BEN, THIEF, "friend@sender.test"), 250);
  await follow(page);
  await release(page);
  assert.match(JSON.stringify(await running.product.json(["account", "held"])), /"accounts":\[\]/);
}

/** The page, the API and `status` report the same tasks, and start with the same headline. */
async function agreesWithStatus(page: Page, product: Product): Promise<void> {
  const answered = await page.evaluate("fetch('/api/v1/status').then((response) => response.json())");
  const { needsYou, headline } = health().parse(answered);
  const printed = health().parse(await product.json(["status"]));
  assert.deepEqual([printed.needsYou, printed.headline, headline], [needsYou, "tasks", "tasks"]);
  assert.ok(needsYou.some(({ code, action }) => code === "mail_held" && action.includes(`account held ${BEN}`)));
  await page.locator(".sentence.degraded").getByText(now.tasks(needsYou.length)).waitFor();
  assert.equal(await page.locator(".row.notice").count(), needsYou.length);
  const shown = (await product.cli(["status"])).stdout;
  assert.match(shown, /^GhostInbox is running\. .* needs? attention\.$/m);
  for (const { says } of needsYou) assert.ok(shown.includes(`! ${says}`), shown);
}

/** The mail's own story, and that of its account. */
async function follow(page: Page): Promise<void> {
  const part = await opened(page);
  await press(part.getByRole("listitem").getByRole("link").first());
  await showsWell(page.getByRole("heading", { level: 2, name: /^A mail: / }), "the story of a mail");
  await page.goto(`${PAGE}#/accounts?name=${BEN}`);
  await showsWell(page.getByText("It wrote to too many strangers"), "an account whose mail is held, and its rights");
  await page.goto(HELD);
}

async function release(page: Page): Promise<void> {
  const part = await opened(page);
  await press(part.getByRole("button", { name: "Send 1 mail and stop holding" }));
  await press(part.getByRole("button", { name: "Send 1 mail to strangers and stop holding" }));
  await page.getByText(`Sent: 1 mail of ${BEN}. New mail is no longer held.`).waitFor();
  await page.getByText("No account's mail is held.").waitFor();
}

async function opened(page: Page) {
  await press(page.getByRole("button", { name: `Decide on the mail of ${BEN}` }));
  const part = page.getByRole("region", { name: `Decide on the mail of ${BEN}` });
  await hasFocus(part);
  await part.getByText(`1 mail of ${BEN} on hold`).waitFor();
  return part;
}

/** A mailbox name of maximum length (RFC 5321, 4.5.3.1.1). */
const SENDER = `${"c".repeat(64)}@sender.test`;

/** Accepts a code at once on the page Mail. The page of `browser` is signed in; greylisting is off. */
export async function letsACodeIn({ page }: LabBrowser, { lab, product }: Running): Promise<void> {
  const mail = { host: lab.sender, from: "198.51.100.75", sender: SENDER, recipient: ANNA, subject: "Your code" };
  const tries = async (): Promise<number> => (await sendMail(mail)).code;
  await product.configure("greylist.enabled", "true");
  await until("it is deferred", async () => (await tries()) === 450);
  await page.goto(`${PAGE}#/mail?show=greylist`);
  const waiting = page.getByRole("list", { name: "Deferred, not accepted yet" }).getByText(SENDER);
  const shows = (count: number): Promise<boolean> =>
    until(`${count} mails are shown`, async () => {
      await press(page.getByRole("button", { name: "Refresh" }));
      return (await waiting.count()) === count;
    });
  const end = page.getByRole("button", { name: `End it for ${ANNA}` });
  const ends = async (): Promise<void> => {
    await press(end);
    await page.getByText("No recipient is waiting for a code.").waitFor();
  };
  await shows(1);
  await looksWell(page, "a first mail that is deferred");
  await press(page.getByRole("button", { name: `Accept next try for ${ANNA}` }));
  await page.getByText(`Mail to ${ANNA} is now accepted at once, deferred mail at its next try.`).waitFor();
  assert.equal(await tries(), 250);
  await shows(0);
  await ends();
  await product.configure("greylist.enabled", "false");

  await enter(page.getByLabel("Waiting recipient"), ANNA);
  // The message about the first mail may still be there, because that can be undone.
  await page.getByText(`Mail to ${ANNA} is now accepted at once, deferred mail at its next try.`).last().waitFor();
  await showsWell(end, "a waiting recipient");
  assert.match(JSON.stringify(await product.json(["greylist", "list"])), new RegExp(ANNA));
  await ends();
}
