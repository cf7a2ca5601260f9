import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { lacking } from "../kit/needs.ts";
import { LabBrowser } from "../lab/browser.ts";
import { ANNA, LOOKS, takePicture } from "../lab/dashboard-looks.ts";
import { whyNoLab } from "../lab/network.ts";
import { ADMIN_PASSWORD, PASSWORD } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const PAGE = "http://127.0.0.1:3000/";
const BERT = "bert@example.test";
const ALIAS = "info@example.test";
const MOST_NODES = 700;

describe("My mailbox in Chromium", { skip: whyNoLab() ?? lacking({ installed: ["chromium"] }) }, () => {
  let browser: LabBrowser | undefined;
  // Before the server's own: it would find the browser among what is left running.
  after(() => browser?.close());
  const { lab, product } = withProduct({}, [ANNA, BERT], {
    toml: 'domains = ["example.test"]\nhostname = "mail.example.test"\n',
  });
  const open = (): LabBrowser => browser ?? assert.fail("no browser");
  const signIn = async (password: string): Promise<void> => {
    const { page } = open();
    await page.getByLabel("Your mail address").fill(ANNA);
    await page.getByLabel("Password of your mailbox").fill(password);
    await page.keyboard.press("Enter");
  };
  const shown = async (): Promise<void> => {
    const { page } = open();
    await page.getByRole("heading", { level: 1, name: "My mailbox" }).waitFor();
    await until("all is loaded", async () => (await page.getByText("Loading …").count()) === 0);
  };

  before(async () => {
    await product.json(["alias", "add", ALIAS, ANNA, BERT]);
    browser = await LabBrowser.on(lab.server, lab);
  });

  test("refuses a wrong password, and shows with the right one the mailbox alone, whatever the address", async () => {
    const { page } = open();
    await page.goto(`${PAGE}#/bans`);
    await signIn("a guess");
    await page.getByRole("alert").getByText("The sign-in was refused.").waitFor();
    assert.deepEqual(await open().violations(), []);
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

  for (const { name, size, colorScheme, forcedColors } of LOOKS)
    test(`is accessible, not wider than the window, and bounded ${name}`, async () => {
      const { page } = open();
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: "reduce" });
      await page.reload();
      await shown();
      assert.deepEqual(await open().violations(), []);
      assert.equal(await open().overflow(), 0);
      assert.ok((await open().nodes()) < MOST_NODES, `${await open().nodes()} nodes`);
      await takePicture(page, "me", name);
    });

  test("speaks German, and lets the administrator in where no address is given", async () => {
    const { page, faults } = open();
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("heading", { level: 1, name: "Mein Postfach" }).waitFor();
    assert.deepEqual(await open().violations(), []);
    await page.reload();
    await page.getByLabel("Sprache").selectOption("en");
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByLabel("Administrator password").fill(ADMIN_PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
    assert.equal(await page.getByRole("navigation").count(), 1);
    assert.deepEqual(faults, []);
  });
});
