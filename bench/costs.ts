import { join } from "node:path";
import { openDialog } from "../test/lab/dialog.ts";
import { LISTS } from "../test/lab/dns.ts";
import { startLists } from "../test/lab/lists.ts";
import { mailOver } from "../test/lab/mail.ts";
import { mailText } from "../test/lab/mailbox.ts";
import { SERVER } from "../test/lab/network.ts";
import { Product } from "../test/lab/product.ts";
import { makeSigner } from "../test/lab/signer.ts";
import { median, until } from "../test/lab/wait.ts";
import { reconfigure, rendered } from "./mail.ts";
import { type Bench, type Part, type Row, untargeted } from "./result.ts";

const RECIPIENT = "alice@example.test";
const DOMAIN = "author.test";
const signer = makeSigner();

/** The author, whose mail is signed and aligned, with correct DNS records. */
export const AUTHOR = {
  records: [
    `${DOMAIN}. MX 10 mx.sender.test.`,
    `${DOMAIN}. TXT "v=spf1 ip4:198.51.100.0/24 -all"`,
    `_dmarc.${DOMAIN}. TXT "v=DMARC1; p=reject"`,
    signer.record(DOMAIN),
  ],
} as const;

/** An allow-listed address, so that no block list is asked about it. */
const FRIEND = "198.51.100.10";
/** Each mail from a stranger comes from an address that was not looked up before. */
const STRANGERS = { first: 67, last: 127 };

const SETTINGS = {
  GHOSTINBOX_SPAM__ENABLED: "true",
  GHOSTINBOX_DNSBL__ZONES: Object.keys(LISTS).join(","),
  GHOSTINBOX_ALLOW__NETWORKS: FRIEND,
};

type Way = Readonly<{ what: string; parameters: Readonly<Record<string, string>>; strangers?: boolean; tls?: boolean }>;

/** One mail at a time, a connection each, from the SYN to the reply that accepts the mail. */
export const costs: Part = {
  name: "costs",
  says: "what each part adds to a mail",
  async run(bench) {
    const lists = await startLists();
    const product = new Product(bench.lab, SETTINGS, { data: join(bench.lab.directory, "all") });
    try {
      await product.start();
      await product.addAccount(RECIPIENT);
      await until("every list answers", async () => (await product.stats()).health.notices.length === 0);
      const unsigned = mailText({ subject: "news", from: `news@${DOMAIN}`, body: BODY });
      const text = await signer.sign(bench.lab, DOMAIN, unsigned);
      return await measure(bench, product, text);
    } finally {
      await product.stop();
      lists.stop();
    }
  },
};

async function measure(bench: Bench, product: Product, text: string): Promise<readonly Row[]> {
  const ways = await waysOf(product);
  const taken = new Map<Way, number[]>(ways.map((way) => [way, []]));
  let stranger: number = STRANGERS.first;
  const mails = bench.quick ? 5 : 10;
  for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
    for (const way of ways) {
      await reconfigure(product, way.parameters);
      // The first mail starts smtpd, connects it to everything, and warms caches.
      await timed(bench, { way, text, from: FRIEND });
      for (let mail = 0; mail < mails; mail++) {
        const from = way.strangers === true ? `198.51.100.${stranger++}` : FRIEND;
        if (stranger > STRANGERS.last + 1) throw new Error("no addresses are left");
        taken.get(way)?.push(await timed(bench, { way, text, from }));
      }
    }
  }
  const times = ways.map((way) => median(taken.get(way) ?? []));
  const [bare = Number.NaN] = times;
  return ways.map(({ what }, i) => untargeted(what, added(times[i] ?? Number.NaN, i === 0 ? 0 : bare)));
}

async function waysOf(product: Product): Promise<readonly Way[]> {
  const guard = await rendered(product, "ghostinbox_guard");
  const milters = await rendered(product, "smtpd_milters");
  const none = { ghostinbox_guard: "", smtpd_milters: "" };
  const guarded = { ...none, ghostinbox_guard: guard };
  return [
    { what: "a mail of 2 KB with none of it", parameters: none },
    { what: "  TLS", parameters: none, tls: true },
    { what: "  guard", parameters: guarded },
    { what: "  guard, and three uncached block list lookups", parameters: guarded, strangers: true },
    { what: "  DKIM, SPF and DMARC", parameters: { ...none, smtpd_milters: "$ghostinbox_rspamd" } },
    { what: "  SpamAssassin", parameters: { ...none, smtpd_milters: "$ghostinbox_spam" } },
    { what: "  all of it", parameters: { ...guarded, smtpd_milters: milters }, tls: true, strangers: true },
  ];
}

type Sent = Readonly<{ way: Way; text: string; from: string }>;

async function timed({ lab }: Bench, { way, text, from }: Sent): Promise<number> {
  const started = performance.now();
  const dialog = await openDialog(lab.sender, { from, to: SERVER.v4, port: 25 });
  try {
    await dialog.reply();
    await dialog.ask("EHLO mx.author.test");
    if (way.tls === true) {
      await dialog.ask("STARTTLS");
      await dialog.startTls();
      await dialog.ask("EHLO mx.author.test");
    }
    const reply = await mailOver(dialog, { sender: `news@${DOMAIN}`, recipient: RECIPIENT, text });
    const tookMs = performance.now() - started;
    if (reply.code !== 250) throw new Error(`${way.what.trim()}: ${reply.code} ${reply.lines.join(" ")}`);
    return tookMs;
  } finally {
    dialog.close();
  }
}

/** `bareMs`: the time of a mail without any of the parts; 0 for that mail itself. */
function added(ms: number, bareMs: number): string {
  const sign = bareMs === 0 ? "" : ms < bareMs ? "-" : "+";
  return `${sign}${Math.abs(ms - bareMs).toFixed(1)} ms`;
}

const BODY = "Dear Alice,\r\n\r\nthe minutes of our meeting follow below.\r\n".padEnd(1_500, "One line of it.\r\n");
