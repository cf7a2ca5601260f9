import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../test/lab/commands.ts";
import { SERVER } from "../test/lab/network.ts";
import { Product } from "../test/lab/product.ts";
import { median, until } from "../test/lab/wait.ts";
import { LOAD_CPU, pinned } from "./child.ts";
import { type Bench, type Part, type Row, untargeted, verdict } from "./result.ts";

const SENDER = "198.51.100.0/25";
/** Settings without limits, not even the kernel's, which counts connections for a while after they have closed. */
const SETTINGS = {
  GHOSTINBOX_ALLOW__NETWORKS: SENDER,
  GHOSTINBOX_LIMITS__CONNECTIONS__CONCURRENT: "1000",
  GHOSTINBOX_SPAM__ENABLED: "true",
};
const SESSIONS = 8;
const MESSAGE_BYTES = 2_048;
const RECIPIENT = "alice@example.test";

/**
 * `discard`: Postfix throws each mail away once it is queued, so that smtpd sets the pace. `mailbox`: Dovecot stores it.
 * `scored`: SpamAssassin scores it first, as the product does by default.
 */
const DELIVERIES = {
  discard: {
    transport: "discard:",
    content: false,
    what: "mails accepted and discarded, with and without the guard",
    mails: 1_000,
    atLeast: 0.94,
  },
  mailbox: {
    transport: "lmtp:unix:private/dovecot-lmtp",
    content: false,
    what: "mails delivered, with and without the guard",
    mails: 400,
    atLeast: 0.97,
  },
  scored: {
    transport: "lmtp:unix:private/dovecot-lmtp",
    content: true,
    what: "mails scored and delivered, with and without the guard",
    mails: 150,
    atLeast: 0.97,
  },
} as const;
type Delivery = keyof typeof DELIVERIES;

/**
 * Mails from another host through the real Postfix, with and without the guard in its restrictions. Each mail has its own
 * connection, so that Postfix asks the guard four times a mail.
 */
export const mail: Part = {
  name: "mail",
  says: "mails through Postfix, with and without the guard",
  async run(bench) {
    const product = new Product(bench.lab, SETTINGS, { data: join(bench.lab.directory, "server") });
    await product.start();
    try {
      await product.addAccount(RECIPIENT);
      const restriction = await rendered(product, "ghostinbox_guard");
      const milters = await rendered(product, "smtpd_milters");
      const rows: Row[] = [];
      for (const delivery of ["discard", "mailbox", "scored"] as const)
        rows.push(...(await measure(bench, product, { delivery, restriction, milters })));
      return rows;
    } finally {
      await product.stop();
    }
  },
};

type Setting = Readonly<{ delivery: Delivery; restriction: string; milters: string }>;

async function measure(bench: Bench, product: Product, setting: Setting): Promise<readonly Row[]> {
  const { delivery, restriction, milters } = setting;
  const { transport, content, what, mails, atLeast } = DELIVERIES[delivery];
  // Makes each smtpd keep running, so that its processor time can be read at the end.
  const parameters = { virtual_transport: transport, smtpd_milters: content ? milters : "", max_use: "100000" };
  const withGuard: Sent[] = [];
  const without: Sent[] = [];
  for (let round = 0; round < (bench.quick ? 2 : 6); round++) {
    // Which of a pair comes first alternates, so that a change in the machine's speed favours neither.
    for (const guarded of round % 2 === 0 ? [true, false] : [false, true]) {
      await reconfigure(product, { ...parameters, ghostinbox_guard: guarded ? restriction : "" });
      await send(bench, product, 50);
      (guarded ? withGuard : without).push(await send(bench, product, bench.quick ? mails / 5 : mails));
    }
  }
  const ratios = withGuard.map(({ rate }, i) => rate / (without[i]?.rate ?? Number.NaN));
  const list = (sent: readonly Sent[]): string => sent.map(({ rate }) => Math.round(rate)).join(" ");
  bench.say(`${delivery}: with the guard ${list(withGuard)} mails/s, without ${list(without)}`);
  bench.say(`${delivery}: ratios of the pairs: ${ratios.map((ratio) => ratio.toFixed(3)).join(" ")}`);
  const ratio = median(ratios);
  const rate = (sent: readonly Sent[]): string => `${Math.round(median(sent.map((one) => one.rate)))}/s`;
  return [
    {
      ...untargeted(what, rate(withGuard), rate(without)),
      ratio: `${ratio.toFixed(3)}x`,
      target: `at least ${atLeast}`,
      verdict: verdict(ratio >= atLeast),
    },
    ...(delivery === "discard" ? costs(withGuard, without) : []),
  ];
}

/** Compares processor time, because other work on the machine makes mails slower, but hardly makes them cost more. */
function costs(withGuard: readonly Sent[], without: readonly Sent[]): readonly Row[] {
  return PROCESSES.map(([name], nth) => {
    const micros = (sent: readonly Sent[]): string =>
      `${Math.round(median(sent.map((one) => one.micros[nth] ?? Number.NaN)))} µs`;
    return untargeted(`  processor time of a mail in ${name}`, micros(withGuard), micros(without));
  });
}

const PROCESSES = [
  ["guard", /\/guard\.js/],
  ["its maintenance process", /\/maintenance\.js/],
  ["smtpd", / smtpd /],
] as const;

/** Mails a second, from the first connection until the queue is empty, and the cost of a mail in each of `PROCESSES`. */
type Sent = Readonly<{ rate: number; micros: readonly number[] }>;

async function send({ lab }: Bench, product: Product, count: number): Promise<Sent> {
  const what = ["-m", String(count), "-s", String(SESSIONS), "-l", String(MESSAGE_BYTES), "-M", "mx.sender.test"];
  const argv = ["smtp-source", ...what, "-f", "news@sender.test", "-t", RECIPIENT, `inet:${SERVER.v4}:25`];
  const before = processorTimes(product);
  const from = performance.now();
  await mustRun(lab.sender.inside(pinned(LOAD_CPU, argv)), { deadlineMs: 120_000 });
  await until("the queue is empty", () => queued(product.layout.postfixQueue) === 0, 120_000);
  const rate = count / ((performance.now() - from) / 1_000);
  return { rate, micros: processorTimes(product).map((after, nth) => (after - (before[nth] ?? Number.NaN)) / count) };
}

/** Processor time of each of `PROCESSES`, in microseconds. */
function processorTimes(product: Product): readonly number[] {
  return PROCESSES.map(([, pattern]) => product.pidsOf(pattern).reduce((sum, pid) => sum + processorMicros(pid), 0));
}

/** Processor time of all its threads, to the nanosecond (sched(7)), while `stat` counts hundredths of a second. */
function processorMicros(pid: number): number {
  return readdirSync(`/proc/${pid}/task`)
    .map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ", 1)[0]))
    .reduce((sum, nanos) => sum + nanos / 1_000, 0);
}

/** How many mails wait or are being delivered. */
function queued(directory: string): number {
  return ["incoming", "active", "deferred"]
    .map((queue) => readdirSync(join(directory, queue), { recursive: true, withFileTypes: true }))
    .reduce((count, entries) => count + entries.filter((entry) => entry.isFile()).length, 0);
}

/** Swaps parameters of the running Postfix and waits until no smtpd uses the old ones; nothing else differs. */
export async function reconfigure(product: Product, parameters: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(parameters)) await postconf(product, ["-e", `${name} = ${value}`]);
  const before = smtpds(product);
  await product.lab.server.mustExec(["postfix", "-c", product.layout.postfixConf, "reload"]);
  await until("no smtpd has the old configuration", () => before.every((pid) => !smtpds(product).includes(pid)));
}

/** The value of a parameter as the product rendered it. */
export async function rendered(product: Product, name: string): Promise<string> {
  return (await postconf(product, ["-h", name])).trim();
}

function postconf(product: Product, argv: readonly string[]): Promise<string> {
  return product.lab.server.mustExec(["postconf", "-c", product.layout.postfixConf, ...argv]);
}

function smtpds(product: Product): readonly number[] {
  return product.pidsOf(/ smtpd /);
}
