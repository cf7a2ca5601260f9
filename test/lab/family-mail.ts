import { GTUBE } from "./content.ts";
import type { Dialog } from "./dialog.ts";
import type { Host } from "./host.ts";
import type { Lab } from "./lab.ts";
import { openImapAs, sendMail } from "./mail.ts";
import { mailText } from "./mailbox.ts";

export const FAMILY = ["anna", "bert", "cara", "dora"].map((name) => `${name}@example.test`);
const DEVICES = 8;
const BODY = "The minutes of our meeting follow below.\r\n".repeat(200);

/** Settings that accept these mails at once: the sending host is on the allow list, and there is no block list. */
export const LETS_IN = { GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.0/25", GHOSTINBOX_DNSBL__ZONES: "[]" } as const;

/** Opens mail programs, each waiting for mail in a mailbox (IDLE, RFC 2177). */
export async function openDevices({ sender }: Lab): Promise<readonly Dialog[]> {
  const devices: Dialog[] = [];
  for (let i = 0; i < DEVICES; i++) {
    const device = await openImapAs(sender, "198.51.100.65", memberOf(i));
    await device.imap("SELECT INBOX");
    device.send("idle IDLE");
    await device.line();
    devices.push(device);
  }
  return devices;
}

/** Sends this many mails at once; returns the reply to each. */
export async function arriveAtOnce({ sender }: Lab, mails: number): Promise<readonly number[]> {
  return Promise.all(Array.from({ length: mails }, (_, i) => write(sender, i, `Number ${i}`, BODY)));
}

/** The reply to a mail that scores far more than `spam.refuse_score`. */
export const spamArrives = async ({ sender }: Lab): Promise<number> => write(sender, 0, "Buy this", GTUBE);

async function write(host: Host, i: number, subject: string, body: string): Promise<number> {
  const from = `198.51.100.${66 + (i % 60)}`;
  const recipient = memberOf(i);
  return (await sendMail({ host, from, recipient, text: mailText({ subject, to: recipient, body }) })).code;
}

const memberOf = (i: number): string => FAMILY[i % FAMILY.length] ?? "";
