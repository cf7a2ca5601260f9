import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { PROBE_ADDRESS } from "../../src/core/net/ip.ts";
import { logIn, openImap, sendMail } from "../lab/mail.ts";
import { whyNoLab } from "../lab/network.ts";
import { until } from "../lab/wait.ts";
import { withProduct } from "../lab/with-product.ts";

const ANNA = "anna@example.test";
const SENDER = "198.51.100.10";
/** The owner is told within this time, and what is over is over. */
const TOLD_MS = 30_000;
/** Half a minute of failures, and the restart. */
const RESTARTED_MS = 75_000;

type Part = Readonly<{ process: RegExp; notice: string; says: RegExp }>;

/** These go on after a while. */
const FOR_A_WHILE: readonly Part[] = [
  { process: /^\d+ unbound /, notice: "resolver_silent", says: /^The resolver gave no answer within 3 s, since / },
  { process: /^\d+ \S*dovecot -F/, notice: "dovecot_silent", says: /Dovecot's master process gave no answer/ },
  { process: /^\d+ spamass-milter /, notice: "spam_filter_down", says: /spamass-milter gave no answer/ },
  { process: /^\d+ rspamd: /, notice: "verifier_silent", says: /^Rspamd gave no answer/ },
  { process: /\/web\.js$/, notice: "web_silent", says: /^The dashboard gave no answer/ },
];
/** These hang until they are restarted. */
const FOR_GOOD: readonly Part[] = [
  {
    process: /^\d+ cleanup /,
    notice: "postfix_silent",
    says: /Postfix's cleanup gave no answer .* Try: sv restart .*\/postfix/,
  },
  { process: /fail2ban-server/, notice: "fail2ban_silent", says: /^Fail2ban gave no answer/ },
  {
    process: /^\d+ dovecot\S*\/auth$/,
    notice: "dovecot_silent",
    says: /Dovecot's auth process gave no answer/,
  },
];

describe("a part that is frozen looks as if it ran", { skip: whyNoLab() ?? false }, () => {
  const { lab, product } = withProduct({ GHOSTINBOX_SPAM__ENABLED: "true", GHOSTINBOX_FAIL2BAN__ENABLED: "true" }, [
    ANNA,
  ]);
  const frozen = new Map<Part, readonly number[]>();

  async function freeze(part: Part): Promise<void> {
    const pids = await until(
      `${part.process} runs`,
      () => {
        const found = product.pidsOf(part.process);
        return found.length === 0 ? false : found;
      },
      TOLD_MS,
    );
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    frozen.set(part, pids);
  }

  async function told(): Promise<ReadonlyMap<string, string>> {
    const { notices } = (await product.stats()).health;
    return new Map(notices.map(({ code, detail }) => [code, detail]));
  }
  const isOver = async ({ notice }: Part): Promise<boolean> => !(await told()).has(notice);
  const isReplaced = ({ process }: Part, before: readonly number[]): boolean => {
    const now = product.pidsOf(process);
    return now.length > 0 && now.every((pid) => !before.includes(pid));
  };

  test("while all is well nothing is told", async () => {
    await until(
      "every service has started",
      async () => {
        const { status, notices } = (await product.stats()).health;
        return status === "ok" && notices.length === 0;
      },
      TOLD_MS,
    );
  });

  test("each is told, with what to do, and no longer once it goes on", async () => {
    const all = [...FOR_A_WHILE, ...FOR_GOOD];
    for (const part of all) await freeze(part);
    try {
      // One that is told may be restarted before the last one is.
      const seen = new Set<Part>();
      await until(
        "each is told",
        async () => {
          const now = await told();
          for (const part of all) if (part.says.test(now.get(part.notice) ?? "")) seen.add(part);
          return seen.size === all.length;
        },
        TOLD_MS,
      );
    } finally {
      for (const part of FOR_A_WHILE) for (const pid of frozen.get(part) ?? []) proceed(pid);
    }
    // Dovecot's own is not over: its auth process still hangs.
    for (const part of FOR_A_WHILE.filter(({ notice }) => notice !== "dovecot_silent"))
      await until(`${part.notice} is over`, () => isOver(part), TOLD_MS);
  });

  test("one that goes on hanging is restarted, whatever is left of it is ended, and it works again", async () => {
    for (const part of FOR_GOOD) {
      const before = frozen.get(part) ?? [];
      await until(`${part.notice}: it is restarted`, () => isReplaced(part, before), RESTARTED_MS);
      await until(`${part.notice} is over`, () => isOver(part), TOLD_MS);
    }
    const sent = await sendMail({ host: lab.sender, from: SENDER });
    assert.equal(sent.code, 250, sent.lines.join(" "));
    const imap = await openImap(lab.sender, SENDER);
    assert.match((await logIn(imap, ANNA)) ?? "", /^OK/);
    imap.close();
  });

  test("of the probes there is no event; the logs of Postfix and Dovecot name them", async () => {
    const log = (): string => readFileSync(product.layout.mailLog, "utf8");
    await until(
      "both ports are asked",
      () => log().includes(`connect from probe.localhost[${PROBE_ADDRESS}]`) && log().includes(`rip=${PROBE_ADDRESS}`),
      45_000,
    );
    assert.deepEqual(await product.events(PROBE_ADDRESS), []);
    assert.deepEqual(await product.events("127.0.0.1"), []);
  });
});

function proceed(pid: number): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // A test that failed late: it has been restarted by now.
  }
}
