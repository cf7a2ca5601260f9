import type { Page } from "playwright-core";
import { openDialog } from "./dialog.ts";
import type { Lab } from "./lab.ts";
import type { Look } from "./looks.ts";
import { ANNA, logIn, openImap } from "./mail.ts";
import { SERVER } from "./network.ts";
import type { Product } from "./product.ts";

export const GUEST = "198.51.100.72";

/** Every page, by its address. */
export const PLACES = [
  "now",
  "events",
  "bans",
  "bans?text=11.0.11.18",
  "bans?show=allowed",
  "bans?ban=198.51.100.99",
  "mail",
  "mail?show=held",
  "mail?show=greylist",
  "mail?show=spam",
  "accounts",
  `accounts?name=${ANNA}`,
  "accounts?show=aliases",
  `find?q=${GUEST}`,
  `find?q=${ANNA}`,
  "system",
  "system?show=alerts",
  "system?show=upkeep",
  "system?show=dns",
  "system?show=access",
  "system?show=security",
  "settings",
];
/** The pages in the documentation, with the start of the names of their pictures. */
const PICTURED: Readonly<Record<string, string>> = {
  now: "now",
  me: "my-mailbox",
  [`find?q=${GUEST}`]: "find",
  mail: "mail",
  accounts: "accounts",
  settings: "settings",
};

/** Text from strangers: markup, a word longer than a line, and a change of text direction. */
export const MARKUP = '<img src=x onerror="alert(1)"><script>alert(2)</script>';
export const LONG_WORD = "w".repeat(300);
export const TURNED = "right\u202Eto left";

/** Pages that show text from strangers. */
export const STRANGE_PLACES = [...PLACES, "find?q=198.51.100.90", `find?q=${LONG_WORD}`];

/** Uses all of it in sign-ins, HELO names and reasons of bans. */
export async function strangersSend({ sender }: Lab, product: Product): Promise<void> {
  const dialog = await openDialog(sender, { from: GUEST, to: SERVER.v4, port: 25 });
  await dialog.reply();
  await dialog.ask(`EHLO ${"h".repeat(10_000)}`);
  dialog.close();
  const imap = await openImap(sender, GUEST);
  await logIn(imap, MARKUP.replaceAll('"', "'"), "x");
  await logIn(imap, LONG_WORD, "x");
  imap.close();
  await product.json(["ban", "198.51.100.90", `${MARKUP} ${TURNED}`]);
  await product.json(["ban", "198.51.100.91", LONG_WORD.slice(0, 200)]);
}

/** Takes the documentation's pictures of this page, if `scripts/screenshots` wants them. */
export function pictures(page: Page, place: string): Readonly<{ each?: (look: Look) => Promise<void> }> {
  const directory = process.env["SCREENSHOTS"];
  const title = PICTURED[place];
  if (directory === undefined || title === undefined) return {};
  const phone = place === "now" && { "dark-phone": "phone" };
  const looks: Readonly<Record<string, string>> = { light: "light", dark: "dark", ...phone };
  const each = async ({ name }: Look): Promise<void> => {
    if (looks[name] !== undefined) await page.screenshot({ path: `${directory}/${title}-${looks[name]}.png` });
  };
  return { each };
}
