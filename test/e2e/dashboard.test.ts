import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { texts as english } from "../../dashboard/texts/english.ts";
import { texts as german } from "../../dashboard/texts/german.ts";
import { messageOf } from "../../src/core/error.ts";
import { DAY_MS, instant } from "../../src/core/time.ts";
import { openEngine } from "../../src/store/open.ts";
import { lacking } from "../kit/needs.ts";
import { type LabBrowser, openBrowser, PAGE } from "../lab/browser.ts";
import { flows } from "../lab/dashboard-flows.ts";
import { GUEST, PLACES, pictures, STRANGE_PLACES, strangersSend } from "../lab/dashboard-looks.ts";
import { HOSTILE, putIntoQueue } from "../lab/dashboard-mail.ts";
import { choose, enter, hasFocus, press, reach, type } from "../lab/keyboard.ts";
import { looksWell } from "../lab/looks.ts";
import { ANNA, sendMail, tryLogIn } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { ADMIN_PASSWORD } from "../lab/product.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";
import { fill } from "../scale/fill.ts";

const ACCOUNTS = [ANNA, "ben@example.test", "office@example.test"];
const MOST_NODES = 1_500;
const MOST_SHOWN = 3_000;

/** Records in the page whether the next such element has the focus when it is drawn. */
const focusAsDrawn = (selector: string) => `void (globalThis.focusAsDrawn = new Promise((done) => {
  const last = document.querySelector('${selector}');
  new MutationObserver((_, changes) => {
    const drawn = document.querySelector('${selector}');
    if ([last, null].includes(drawn)) return;
    changes.disconnect();
    done(document.activeElement === drawn);
  }).observe(document.body, { childList: true, subtree: true });
}))`;

describe("the dashboard in Chromium", { skip: whyNoLab() ?? lacking({ installed: ["chromium"] }) }, () => {
  let browser: LabBrowser | undefined;
  // Comes before the server's own hook, which would report the browser as left running.
  after(() => browser?.close());
  const { lab, product } = withProduct({ GHOSTINBOX_GREYLIST__ENABLED: "" }, ACCOUNTS, {
    toml: 'domains = ["example.test"]\nhostname = "mail.example.test"\n[greylist]\nenabled = false\n',
    prepare: () => {
      mkdirSync(dirname(product.layout.engineDb), { recursive: true });
      const db = openEngine(product.layout.engineDb);
      fill(db, { events: 20_000, bans: 3_000, now: instant(Date.now()), spanMs: 2 * DAY_MS });
      db.close();
    },
  });
  const open = (): LabBrowser => browser ?? assert.fail("no browser");
  const go = async (place: string, { nav } = english): Promise<void> => {
    const { page } = open();
    await page.goto(`${PAGE}#/${place}`);
    const [, name] = Object.entries(nav).find(([page]) => page === place.split("?")[0]) ?? assert.fail(place);
    await page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
    await until("all is loaded", async () => (await page.getByText(/^(Loading|Lädt) …$/).count()) === 0);
  };

  before(async () => {
    await putIntoQueue(lab.server, product.layout, ACCOUNTS);
    browser = await openBrowser(lab.server, lab);
    await sendMail({ host: lab.sender, from: GUEST });
    await tryLogIn(lab.sender, GUEST, ANNA);
  });

  test("refuses a wrong password with a sentence, and after the right one shows whether mail flows", async () => {
    const { page } = open();
    await page.goto(PAGE);
    await page.getByLabel("Administrator password").fill("a guess");
    await page.keyboard.press("Enter");
    await page.getByText(/not accepted|wrong|refused/i).waitFor();
    await looksWell(page, "a refused sign-in");
    await type(page.getByLabel("Administrator password"), ADMIN_PASSWORD);
    await press(page.getByRole("button", { name: "Sign in" }));
    await page.getByRole("heading", { level: 1, name: "Now" }).waitFor();
    await page.getByText("Mail flows.").first().waitFor();
    await page.getByText("3,000").waitFor();
  });

  test("shows each page in every theme and width: accessible, within the window, usable by keyboard, bounded", async () => {
    const { page } = open();
    for (const place of PLACES) {
      await go(place);
      await looksWell(page, place, { isPage: true, isTouched: true, ...pictures(page, place) });
      assert.ok((await open().nodes()) < MOST_NODES, `${place}: ${await open().nodes()} nodes`);
    }
    await page.reload();
  });

  test("neither runs nor is broken by what strangers send, in German, whose words are longer", async () => {
    const { page } = open();
    await strangersSend(lab, product);
    await putIntoQueue(lab.server, product.layout, [HOSTILE]);
    await go("system");
    await choose(page.getByLabel("Language"), "Deutsch");
    await page.getByRole("link", { name: "Ereignisse" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    for (const place of STRANGE_PLACES) {
      await go(place, german);
      await looksWell(page, `${place} in German`, { hasAxe: false });
      assert.equal(await page.locator("main img, main script").count(), 0);
    }
    await go("bans", german);
    await page.getByText("<script>alert(2)</script>").first().waitFor();
    await page.getByText("right\\u{202e}to left").first().waitFor();
    await go("system", german);
    await choose(page.getByLabel("Sprache"), "English");
    await page.getByRole("link", { name: "Events" }).waitFor();
  });

  test("lifts the ban that the pointer aimed at while others arrive, and undoes it", async () => {
    const { page } = open();
    await go("bans");
    const aimed = page.getByRole("button", { name: "Unban 198.51.100.90" });
    await aimed.hover();
    const place = (await aimed.boundingBox()) ?? assert.fail("no place");
    for (const last of [94, 95, 96]) await product.api("POST", "/api/v1/bans", { ip: `198.51.100.${last}` });
    await page.getByRole("button", { name: "3 new" }).waitFor();
    await page.mouse.click(place.x + place.width / 2, place.y + place.height / 2);
    await page.getByText("198.51.100.90 is no longer banned.").waitFor();
    assert.equal(await product.banOf("198.51.100.90"), undefined);
    assert.ok(await product.banOf("198.51.100.91"));
    assert.equal(await aimed.getAttribute("aria-disabled"), "true", "the row stays in its place, and is over");
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("198.51.100.90 is banned again").waitFor();
    assert.ok(await product.banOf("198.51.100.90"));
    await page.mouse.move(5, 5);
    await page.getByRole("button", { name: "Unban 198.51.100.96" }).waitFor();
  });

  test("keeps rows in place for a resting pointer and a moving focus", async () => {
    const { page } = open();
    await go("bans");
    await page.getByRole("button", { name: "Unban 198.51.100.90" }).hover();
    await page.getByLabel("Part of an address").fill("198.51.100.9");
    await page.keyboard.press("Enter");
    await until("the list is another", async () => (await page.getByRole("listitem").count()) < 9);
    await product.api("POST", "/api/v1/bans", { ip: "198.51.100.99" });
    await page.getByRole("button", { name: "1 new" }).waitFor();
    await page.getByRole("button", { name: "Unban 198.51.100.90" }).press("Shift+Tab");
    await page.mouse.move(5, 5);
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "1 new" }).waitFor();
  });

  test("bans only by the keyboard, after a preview of the effect", async () => {
    const { page } = open();
    await go("now");
    await page.locator("body").press("Tab");
    const focused = page.locator(":focus");
    await until("the keyboard reaches the bans", async () => {
      await page.keyboard.press("Shift+Tab");
      return (await focused.innerText()) === "Bans";
    });
    await page.evaluate(focusAsDrawn("h1"));
    await page.keyboard.press("Enter");
    assert.ok(await page.evaluate("focusAsDrawn"), "at no moment is the page there without the focus");
    await until("the heading has the focus", async () => {
      const tag = await page.evaluate<string>("document.activeElement.tagName");
      return tag === "H1" && (await focused.innerText()) === "Bans";
    });
    await page.goto(`${PAGE}#/bans?text=11.0.11.18&ban=${GUEST}`);
    await page.getByRole("region", { name: "Ban an address" }).and(focused).waitFor();
    await enter(page.getByLabel("Reason, for the record"), "by keyboard");
    await page.getByText(`These accounts sign in from there and would be locked out: ${ANNA}.`).waitFor();
    await looksWell(page, "what a ban would do");
    const preview = page.getByRole("button", { name: "Preview" });
    const answered = Promise.withResolvers<void>();
    await page.route("**/why/*", (request) => answered.promise.then(() => request.continue()));
    await enter(page.getByLabel("Address or network"), "198.51.100.96");
    await type(page.getByLabel("Address or network"), "198.51.100.97");
    answered.resolve();
    await preview.and(page.locator("[aria-disabled=false]")).waitFor();
    assert.equal(await page.getByRole("button", { name: "Ban 198.51.100.96" }).count(), 0, "the answer comes too late");
    await page.unroute("**/why/*");
    await press(preview);
    await press(page.getByRole("button", { name: "Ban 198.51.100.97" }));
    await page.getByText("198.51.100.97 is banned.").waitFor();
    await reach(page.getByRole("button", { name: "Undo" }));
    await looksWell(page, "a ban that can be undone");
    assert.equal((await product.banOf("198.51.100.97"))?.reason, "by keyboard");
    const unban = page.getByRole("button", { name: "Unban 198.51.100.97" });
    assert.equal(await unban.count(), 0, "the list shows only what was searched for");
    await page.keyboard.press("Control+z");
    await page.getByText("198.51.100.97 is no longer banned.").waitFor();
    assert.equal(await product.banOf("198.51.100.97"), undefined);
    await product.json(["allow", "add", "203.0.113.0/24"]);
    await press(page.getByRole("link", { name: "Allowed", exact: true }));
    await page.evaluate(focusAsDrawn('section[aria-label="Allow a network"]'));
    await press(page.getByRole("button", { name: "Allow a network" }));
    assert.ok(await page.evaluate("focusAsDrawn"), "later, it would take the focus from a field");
    const form = page.getByRole("region", { name: "Allow a network" });
    await type(form.getByLabel("Address or network"), "192.0.2.0/24");
    await looksWell(page, "a network to be allowed");
    await page.keyboard.press("Enter");
    await press(page.getByRole("button", { name: "Remove 192.0.2.0/24" }));
    await page.getByText("192.0.2.0/24 is no longer on the allow list.").waitFor();
    const other = page.getByRole("listitem").filter({ hasText: "203.0.113.0/24" });
    await hasFocus(other);
    await page.keyboard.press("Control+z");
    await press(page.getByRole("button", { name: "Remove 192.0.2.0/24" }));
    await hasFocus(other);
  });

  test("filters events by a click, and saves what it shows", async () => {
    const { page } = open();
    await product.json(["ban", "198.51.100.98", "for a moment"]);
    await product.json(["unban", "198.51.100.98"]);
    await go("events");
    await page.getByRole("link", { name: "Unban", exact: true }).first().click();
    await page.waitForURL(/type=UNBAN/);
    await until("only those are left", async () => {
      const kinds = await page
        .getByRole("listitem")
        .getByTitle(/^Show only/)
        .allInnerTexts();
      return kinds.length > 0 && kinds.every((kind) => kind === "Unban");
    });
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Export CSV" }).click(),
    ]);
    assert.match(saved.suggestedFilename(), /^ghostinbox-events-.*\.csv$/);
    assert.ok(readFileSync(await saved.path(), "utf8").startsWith("\ufeff"), "Excel reads it as UTF-8");
  });

  for (const [says, flow] of flows(open, { lab, product }))
    test(says, () =>
      flow().catch(async (error: unknown) => {
        const page = await open().page.locator("body").innerText();
        throw new Error(`${messageOf(error)}\nThe page then showed:\n${page.slice(0, MOST_SHOWN)}`, { cause: error });
      }),
    );

  test("signs out, and nothing in these tests broke its policy or threw an error", async () => {
    const { page, faults } = open();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Administrator password").waitFor();
    assert.deepEqual(faults, []);
  });
});
