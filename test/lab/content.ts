import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGED_RULES } from "../../src/mail/spamassassin/spamassassin-conf.ts";
import { makeKnownSecret } from "./known-secret.ts";
import { ANNA, sendMail } from "./mail.ts";
import { findMail, mailText, type Written } from "./mailbox.ts";
import type { Product } from "./product.ts";
import { until } from "./wait.ts";

/** DNS records of the lab's domains about the mail they send. */
export const RECORDS = [
  ...["strict", "half", "slow", "unread", "lenient", "friend"].map((name) => `${name}.test. MX 10 mx.sender.test.`),
  'example.test. TXT "v=spf1 mx -all"',
  '_dmarc.example.test. TXT "v=DMARC1; p=none"',
  '_dmarc.example.test. TXT "v=DMARC1; p=reject"',
  'sender.test. TXT "v=spf1 ip4:198.51.100.10 -all"',
  'strict.test. TXT "v=spf1 ip4:198.51.100.10 -all"',
  // Its policy can be read, but its keys cannot, because no server answers for them.
  '_dmarc.half.test. TXT "v=DMARC1; p=reject"',
  "_domainkey.half.test. NS ns.half.test.",
  "ns.half.test. A 203.0.113.1",
  // Lookups of its names time out, since no server answers for them.
  `slow.test. TXT "v=spf1 ${["a", "b", "c"].map((name) => `include:${name}._domainkey.half.test`).join(" ")} -all"`,
  // Its mail can be proven, its policy cannot be read.
  'unread.test. TXT "v=spf1 ip4:198.51.100.10 -all"',
  "_dmarc.unread.test. NS ns.half.test.",
  '_dmarc.lenient.test. TXT "v=DMARC1; p=quarantine"',
  '_dmarc.strict.test. TXT "v=DMARC1; p=reject"',
];

export type Stopped = Readonly<{ start: () => Promise<void> }>;

/** Stops a service as an administrator would, until `start`, which waits until the guard or spamd answers. */
export async function stopService(product: Product, service: string): Promise<Stopped> {
  await product.sv("down", service);
  return {
    start: async () => {
      await product.sv("up", service);
      if (service === "guard") await until("the guard answers", () => product.guardAnswers());
      if (service === "spamd") await until("spamd answers", () => spamdAnswers(product));
    },
  };
}

/** Scores 1,000 (gtube(7)); `spam.refuse_score` is set above that. */
export const GTUBE = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";

const ONE_RULE = `header LAB_SEEN exists:Subject
score LAB_SEEN 0.1
body LAB_GTUBE /${RegExp.escape(GTUBE)}/
score LAB_GTUBE 1000
`;

/**
 * Installs one rule and GTUBE like a channel's rules, instead of thousands. SpamAssassin then starts in a tenth of the time, and
 * a mail costs a tenth. For tests in which the results of Debian's rules don't matter. Call it before the first start.
 */
export function scoreByOneRule({ product: { layout } }: Readonly<{ product: Pick<Product, "layout"> }>): void {
  makeKnownSecret(layout);
  // As updates leave them: they replace the link.
  const set = join(layout.spamRules, "set-0");
  writeOneRule(set);
  symlinkSync(set, join(layout.spamRules, "current"));
}

/** A set of rules that SpamAssassin accepts: the format of its headers, and the two rules. */
export function writeOneRule(directory: string): void {
  mkdirSync(directory, { recursive: true });
  copyFileSync(join(PACKAGED_RULES, "10_default_prefs.cf"), join(directory, "10_default_prefs.cf"));
  writeFileSync(join(directory, "20_lab.cf"), ONE_RULE);
}

/** The socket for the milter. */
export async function spamdAnswers({ lab, layout }: Product): Promise<boolean> {
  return (await lab.server.exec(["spamc", "-K", "-U", layout.spamHeadSocket])).code === 0;
}

/** mx.sender.test, which passes SPF, and an address that no domain names as its sender. */
export const MX = "198.51.100.10";
export const ELSEWHERE = "198.51.100.70";

/** The details of an event of this type that contain the text; null if there is none. */
export async function detailsOf(product: Product, type: string, containing: string): Promise<string | null> {
  const rows = await product.sqlite(`SELECT details FROM event WHERE type = '${type}'`);
  return rows.find(([details = ""]) => details.includes(containing))?.[0] ?? null;
}

/** Sends mail like strangers, and finds it where it arrived. */
export function contentMail(product: Product) {
  async function arrived(subject: string, folder: "INBOX" | "Junk" = "INBOX", account: string = ANNA): Promise<string> {
    return until(`“${subject}” in ${folder}`, () => findMail(product.layout, subject, { folder, account }));
  }

  async function send(written: Written, from: string = MX, sender = written.from ?? "someone@sender.test") {
    const mail = { recipient: written.to ?? ANNA, sender, text: mailText(written) };
    const { code, lines } = await sendMail({ host: product.lab.sender, from, ...mail });
    return { code, text: lines.join(" ") };
  }

  return { arrived, send };
}
