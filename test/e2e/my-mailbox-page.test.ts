import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Locator } from "playwright-core";
import { lacking } from "../kit/needs.ts";
import { type LabBrowser, openBrowser, PAGE } from "../lab/browser.ts";
import { outages } from "../lab/dashboard-flows.ts";
import { GUEST, pictures } from "../lab/dashboard-looks.ts";
import { choose, enter, press, reach, saved, signInShown, type } from "../lab/keyboard.ts";
import { looksWell } from "../lab/looks.ts";
import { ANNA, assertAccepted, BERT, sendMail } from "../lab/mail.ts";
import {
  fillStrangely,
  makesAppPasswords,
  repliesWhileAway,
  STRANGE_ID,
  STRANGE_REPLY,
  sendsMailOn,
} from "../lab/mailbox-cards.ts";
import { whyNoLab } from "../lab/network.ts";
import { ADMIN_PASSWORD, PASSWORD } from "../lab/product.ts";
import { signInsFrom } from "../lab/sign-ins.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ALIAS = "info@example.test";
const STRANGER = "198.51.100.75";
const NEW_PASSWORD = "lantern gravel otter 71 spoon";
const MOST_NODES = 700;

describe("My mailbox in Chromium", { skip: whyNoLab() ?? lacking({ installed: ["chromium"] }) }, () => {
  let browser: LabBrowser | undefined;
  // Comes before the server's own hook, which would report the browser as left running.
  after(() => browser?.close());
  // The receiver of alerts must keep a copy of forwarded mail.
  const { lab, product } = withProduct(
    { GHOSTINBOX_ACCOUNTS__ADMINISTRATOR: BERT, GHOSTINBOX_FAIL2BAN__ENABLED: "" },
    [ANNA, BERT],
    { toml: 'domains = ["example.test"]\nhostname = "mail.example.test"\n' },
  );
  const { signsIn: signsInAs } = signInsFrom(lab.sender);
  const signsIn = (password: string, from = GUEST): Promise<boolean> => signsInAs(ANNA, password, from);
  let queueId = "";
  const open = (): LabBrowser => browser ?? assert.fail("no browser");
  const card = (name: string): Locator => open().page.getByRole("region", { name, exact: true });
  const signIn = async (password: string): Promise<void> => {
    const { page } = open();
    await signInShown(page);
    await type(page.getByLabel("Your mail address"), ANNA);
    await enter(page.getByLabel("Password of your mailbox"), password);
  };
  const shown = async (): Promise<void> => {
    const { page } = open();
    await page.getByRole("heading", { level: 1, name: "My mailbox" }).waitFor();
    await until("all is loaded", async () => (await page.getByText("Loading …").count()) === 0);
  };

  before(async () => {
    queueId = assertAccepted(await sendMail({ host: lab.sender, from: GUEST, recipient: ANNA }));
    assert.ok(await signsIn(PASSWORD));
    assert.ok(!(await signsIn("a guess", STRANGER)));
    await product.json(["alias", "add", ALIAS, ANNA, BERT]);
    browser = await openBrowser(lab.server, lab);
  });

  test("refuses a wrong password, and after the right one shows only the mailbox, whatever page is requested", async () => {
    const { page } = open();
    await page.goto(`${PAGE}#/bans`);
    await signIn("a guess");
    await page.getByRole("alert").getByText("The sign-in was refused.").waitFor();
    await looksWell(page, "a refused sign-in to a mailbox");
    await signIn(PASSWORD);
    await shown();
    assert.match(page.url(), /#\/me$/);
    await page.getByRole("region", { name: ANNA }).getByText(ALIAS).waitFor();
    await page.goto(`${PAGE}#/accounts?name=${BERT}`);
    await page.waitForURL(/#\/me$/);
    await shown();
    assert.equal(await page.getByRole("navigation").count(), 0);
    assert.equal(await page.getByText(BERT).count(), 0);
    assert.equal(await page.evaluate<number>("fetch('api/v1/events').then(({ status }) => status)"), 403);
  });

  test("is accessible, within the window, usable by keyboard, and bounded in every theme and width", async () => {
    const { page } = open();
    await looksWell(page, "the mailbox", { hasAxe: false, isPage: true, ...pictures(page, "me") });
    const closed = page.locator("details:not([open]) > summary");
    while ((await closed.count()) > 0) await press(closed.first());
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    await looksWell(page, "the mailbox, all open");
    assert.ok((await open().nodes()) < MOST_NODES, `${await open().nodes()} nodes`);
  });

  test("shows who signed in and who tried, and the answer no leads to a new password", async () => {
    const { page } = open();
    const signIns = card("Sign-ins");
    await signIns.getByText(STRANGER).first().waitFor();
    await signIns.getByText("wrong password").first().waitFor();
    await press(signIns.getByRole("button", { name: "Yes, that was me" }));
    await signIns.getByText("The other attempts shown here failed.").waitFor();
    await press(signIns.getByRole("button", { name: "No, not all" }));
    const part = signIns.getByRole("region", { name: "No, not all" });
    await part.and(page.locator(":focus")).waitFor();
    await part.getByText(/check whether your mail is forwarded/).waitFor();
    const field = part.getByLabel("New password for your mailbox");
    await enter(field, "password1234");
    await page.getByText(/too easy to guess/).waitFor();
    await looksWell(page, "a new password that is refused");
    await enter(field, NEW_PASSWORD);
    await page.getByText("Your password is changed.").waitFor();
    assert.ok(!(await signsIn(PASSWORD)), "not with the former password");
    assert.ok(await signsIn(NEW_PASSWORD));
  });

  test("keeps a list of allowed senders, and removes one", async () => {
    const { page } = open();
    const senders = card("Allowed senders");
    await enter(senders.getByLabel(/^Address, or/), "*@friends.test");
    await senders.getByRole("listitem").filter({ hasText: "*@friends.test" }).waitFor();
    await press(senders.getByRole("button", { name: "Remove *@friends.test" }));
    await page.getByText("Mail from *@friends.test is checked for spam again.").waitFor();
    await reach(page.getByRole("button", { name: "Undo" }).last());
    await looksWell(page, "a sender who was removed, and what undoes it");
    await page.keyboard.press("Enter");
    await senders.getByRole("listitem").filter({ hasText: "*@friends.test" }).waitFor();
    const reply = page.getByLabel("Text of the reply");
    await type(reply, "Not to be sent");
    await page.keyboard.press("Control+z");
    await until("the key undoes what was typed", async () => (await reply.inputValue()) === "");
  });

  test("accepts new senders at once, and ends that", async () => {
    const { page } = open();
    const code = card("Are you waiting for a mail?");
    await press(code.getByRole("button", { name: "Accept new senders at once" }));
    await page.getByText("New senders are accepted at once now.").waitFor();
    await code.getByText("This ends in 15 minutes").or(code.getByText("This ends in 14 minutes")).waitFor();
    await press(code.getByRole("button", { name: "End it now" }));
    await page.getByText("New senders have to try again, as usual.").waitFor();
  });

  test("follows the user's own mail, and no other", async () => {
    const { page } = open();
    const follow = card("Where is my mail?");
    const field = follow.getByLabel("Message-ID or queue id");
    await enter(field, queueId);
    await follow.getByRole("list", { name: "What happened" }).getByRole("listitem").first().waitFor();
    await enter(field, "4Zzzzz0000z000");
    await follow.getByRole("alert").waitFor();
    await looksWell(page, "a mail that is not the reader's");
  });

  test("shows the settings for mail programs as text, as a QR code and as a profile without a password", async () => {
    const client = card("Set up a mail program");
    await client.getByText("mail.example.test, port 993, SSL/TLS").waitFor();
    const file = await saved(client.getByRole("link", { name: "Profile for iPhone, iPad and Mac" }));
    assert.match(file.suggestedFilename(), /\.mobileconfig$/);
    const stream = await file.createReadStream();
    const profile = (await stream.toArray()).join("");
    assert.match(profile, new RegExp(`<string>${ANNA}</string>`));
    assert.ok(!profile.includes(NEW_PASSWORD));
    await client.getByText("your mailbox password, or an app password").waitFor();
  });

  test("makes an app password, which is shown once and opens the mailbox, and removes it", () =>
    makesAppPasswords(open(), signsIn));
  test("forwards mail with or without a copy, shows what the server refuses, and ends it", () =>
    sendsMailOn(open(), product, BERT));
  test("replies while the user is away, to the last day, and ends it", () =>
    repliesWhileAway(open(), product, NEW_PASSWORD));
  test("signs out the user's other browsers", async () => {
    const { page } = open();
    const other = await open().elsewhere();
    await other.goto(PAGE);
    await other.getByLabel("Your mail address").fill(ANNA);
    await other.getByLabel("Password of your mailbox").fill(NEW_PASSWORD);
    await other.keyboard.press("Enter");
    await other.getByRole("heading", { level: 1, name: "My mailbox" }).waitFor();
    await page.reload();
    await press(card("Browsers that are signed in here").getByRole("button", { name: "Sign out all others" }));
    await page.getByText("One session is ended.").waitFor();
    await other.reload();
    await other.getByLabel("Administrator password").waitFor();
    await other.context().close();
  });

  test("neither runs nor is broken by strange texts, in German, whose words are longer", async () => {
    const { page } = open();
    await fillStrangely({ lab, product });
    await choose(page.getByLabel("Language"), "Deutsch");
    await page.getByRole("heading", { level: 1, name: "Mein Postfach" }).waitFor();
    await enter(page.getByLabel("Message-ID oder Queue-ID"), STRANGE_ID);
    const way = page.getByRole("list", { name: "Was geschah" }).getByRole("listitem");
    await way.first().or(page.getByRole("alert")).waitFor();
    assert.equal(await page.getByLabel("Text der Antwort").inputValue(), STRANGE_REPLY);
    await looksWell(page, "the mailbox with strange texts in German");
    assert.equal(await page.locator("main img, main script").count(), 0);
    await choose(page.getByLabel("Sprache"), "English");
    await page.getByText("Die Sprache wechselt, sobald Sie die Seite neu laden.").waitFor();
    await page.reload();
    await page.getByRole("heading", { level: 1, name: "My mailbox" }).waitFor();
  });

  test("signs in the administrator if no address is given", async () => {
    const { page } = open();
    await press(page.getByRole("button", { name: "Sign out", exact: true }));
    await signInShown(page);
    await enter(page.getByLabel("Administrator password"), ADMIN_PASSWORD);
    await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
    assert.equal(await page.getByRole("navigation").count(), 1);
  });

  // As on every page of the dashboard, whose other tests take longer.
  describe("the administrator's page", () => {
    for (const [says, outage] of outages(open, { lab, product })) test(says, outage);
  });

  test("nothing in these tests broke the page's policy or threw an error", () => assert.deepEqual(open().faults, []));
});
