import assert from "node:assert/strict";
import { ANNA, GUEST, LONG_WORD, MARKUP, strangersSend, TURNED } from "./dashboard-looks.ts";
import { sendMail } from "./mail.ts";
import type { Running } from "./with-product.ts";

/** A sender chooses it. */
export const STRANGE_ID = `<${MARKUP.replaceAll(/[^a-z]+/g, "$")}${LONG_WORD}@sender.test>`;
export const STRANGE_REPLY = `${MARKUP} ${TURNED} ${LONG_WORD}`;
const LONG_DOMAIN = `${Array.from({ length: 3 }, () => "w".repeat(59)).join(".")}.test`;
const LONG_ADDRESS = `${"w".repeat(64)}@${LONG_DOMAIN}`;

/** Fills ANNA's mailbox with the longest and strangest text that the server accepts from strangers, from her and from the owner. */
export async function fillStrangely({ lab, product }: Running): Promise<void> {
  const headers = ["From: <someone@sender.test>", `Message-ID: ${STRANGE_ID}`, `Subject: ${STRANGE_REPLY}`];
  const text = `${headers.join("\r\n")}\r\n\r\nHello.`;
  const { code, lines } = await sendMail({ host: lab.sender, from: GUEST, text });
  assert.equal(code, 250, lines.join(" "));
  await strangersSend(lab, product);
  await product.json(["alias", "add", `${"w".repeat(64)}@example.test`, ANNA]);
  await product.json(["account", "forward", ANNA, LONG_ADDRESS]);
  await product.json(["account", "vacation", ANNA, STRANGE_REPLY, "--subject", `${MARKUP} ${TURNED}`]);
  await product.json(["account", "app-password", "add", ANNA, "w".repeat(40)]);
  await product.json(["spam", "allow", "add", ANNA, LONG_ADDRESS]);
}
