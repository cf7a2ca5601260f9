import { rmSync } from "node:fs";
import { join } from "node:path";
import { mustRun } from "../test/lab/commands.ts";
import { sendMail } from "../test/lab/mail.ts";
import { mailText } from "../test/lab/mailbox.ts";
import { manyMails } from "../test/lab/many-mails.ts";
import { Product } from "../test/lab/product.ts";
import { timed } from "../test/lab/wait.ts";
import { type Bench, higher, lower, type Part, type Row } from "./result.ts";

const MAILS = 100_000;
/** A tenth of the mails: deleted, marked or new, a third each. */
const CHANGED = 10_000;
const QUICK_PART = 10;
/** Half the average size of a mail with its attachments. */
const BODY_BYTES = 32_768;
const ACCOUNTS = Array.from({ length: 20 }, (_, i) => `user${i}@example.test`);
const SENDER = "198.51.100.80";
const TIMES_FASTER = 10;
/** The target, as a share of the speed of copying the same files. */
const DISK_SPEED = 0.8;
const MS = 1_000;
const LONG_MS = 1_800_000;

/** A mailbox server's nightly backup, compared with the original project's: stop everything, run tar and gpg, start again. */
export const backup: Part = {
  name: "backup",
  says: `an incremental backup of ${MAILS.toLocaleString("en")} mails, against stop, tar, gpg and start; and a whole restore`,
  async run(bench) {
    const repository = join(bench.lab.directory, "backups");
    const settings = { GHOSTINBOX_BACKUP__REPOSITORY: repository, GHOSTINBOX_ALLOW__NETWORKS: SENDER };
    const product = new Product(bench.lab, settings, { data: join(bench.lab.directory, "server") });
    await product.start();
    try {
      for (const account of ACCOUNTS) await product.addAccount(account);
      return await measure(bench, product);
    } finally {
      await product.stop();
      for (const path of [product.layout.data, repository]) rmSync(path, { recursive: true, force: true });
    }
  },
};

async function measure(bench: Bench, product: Product): Promise<readonly Row[]> {
  const part = bench.quick ? QUICK_PART : 1;
  const many = manyMails(product.layout, ACCOUNTS, BODY_BYTES);
  many.add(MAILS / part);
  const first = await timed(() => product.json(["backup", "create"], { deadlineMs: LONG_MS }));
  many.change(CHANGED / part);
  await mustRun(["sync"], { deadlineMs: LONG_MS });
  const ours = await whileMailArrives(bench, () => product.json(["backup", "create"], { deadlineMs: LONG_MS }));
  if (ours.refused > 0) throw new Error(`${ours.refused} mails were refused during the backup`);
  bench.say(`first ${seconds(first.ms)}, incremental ${seconds(ours.ms)}; ${ours.mails} mails arrived while it ran`);
  const theirs = await stopTarStart(bench, product);
  bench.say(`stop, tar and gpg, start: ${seconds(theirs.ms)}`);
  const restored = await restoreAndCopy(bench, product);
  bench.say(
    `${Math.round(restored.mb)} MB restored in ${seconds(restored.oursMs)}, copied in ${seconds(restored.theirsMs)}`,
  );
  return [
    lower("incremental backup, against stop, tar, gpg and start", inS(ours.ms), inS(theirs.ms), TIMES_FASTER),
    lower("longest wait of a mail during it, against no mail at all", inS(ours.slowestMs), inS(theirs.ms), null),
    higher(
      "whole restore, against cp -a",
      rate(restored.mb, restored.oursMs),
      rate(restored.mb, restored.theirsMs),
      DISK_SPEED,
    ),
  ];
}

type During = Readonly<{ ms: number; mails: number; slowestMs: number; refused: number }>;

/** Sends one mail after another while `work` runs. */
async function whileMailArrives({ lab }: Bench, work: () => Promise<unknown>): Promise<During> {
  const over = new AbortController();
  let [mails, slowestMs, refused] = [0, 0, 0];
  const traffic = (async () => {
    while (!over.signal.aborted) {
      const text = mailText({ subject: `During ${mails}`, to: ACCOUNTS[0] ?? "" });
      const { value, ms } = await timed(() =>
        sendMail({ host: lab.sender, from: SENDER, recipient: ACCOUNTS[0] ?? "", text }),
      );
      if (value.code === 250) mails += 1;
      else refused += 1;
      slowestMs = Math.max(slowestMs, ms);
    }
  })();
  const { ms } = await timed(work);
  over.abort();
  await traffic;
  return { ms, mails, slowestMs, refused };
}

/** Runs the original project's script, with its options, on the same data, until mail is accepted again. */
async function stopTarStart({ lab }: Bench, product: Product): Promise<Readonly<{ ms: number }>> {
  const archive = join(lab.directory, "email-backup.tar.gz.gpg");
  const gpg = `gpg --homedir '${lab.directory}' --batch --pinentry-mode loopback --passphrase bench --cipher-algo AES256 --compress-algo 1 --symmetric`;
  try {
    return await timed(async () => {
      await product.stop();
      const script = `set -o pipefail; tar -czf - -C '${product.layout.data}' . | ${gpg} --output '${archive}'`;
      await mustRun(["bash", "-c", script], { deadlineMs: LONG_MS });
      await product.start();
    });
  } finally {
    rmSync(archive, { force: true });
    await mustRun(["gpgconf", "--homedir", lab.directory, "--kill", "gpg-agent"]);
  }
}

/** Both a restore and a copy read from the disk and write to it, as on a machine that has just been installed (sync(1), proc(5)). */
async function restoreAndCopy({ lab }: Bench, product: Product) {
  const [restored, copied] = [join(lab.directory, "restored"), join(lab.directory, "copied")];
  const forget = () => mustRun(["bash", "-c", "sync && echo 3 > /proc/sys/vm/drop_caches"], { deadlineMs: LONG_MS });
  const thenSync = (argv: readonly string[]) =>
    mustRun(["bash", "-c", '"$@" > /dev/null && sync', "bash", ...argv], { deadlineMs: LONG_MS });
  try {
    await forget();
    const ours = await timed(async () => {
      await product.json(["backup", "restore", "--to", restored], { deadlineMs: LONG_MS });
      await thenSync(["true"]);
    });
    await forget();
    const theirs = await timed(() => thenSync(["cp", "-a", restored, copied]));
    const bytes = Number.parseInt(await mustRun(["du", "-sb", restored], { deadlineMs: LONG_MS }), 10);
    return { mb: bytes / 1e6, oursMs: ours.ms, theirsMs: theirs.ms };
  } finally {
    for (const path of [restored, copied]) rmSync(path, { recursive: true, force: true });
  }
}

function inS(ms: number) {
  return { value: ms / MS, unit: "s" } as const;
}

function rate(mb: number, ms: number) {
  return { value: (mb * MS) / ms, unit: "MB/s" } as const;
}

function seconds(ms: number): string {
  return `${(ms / MS).toFixed(1)} s`;
}
