import { appendFileSync } from "node:fs";
import { median, until } from "../test/lab/wait.ts";
import { load } from "./child.ts";
import { startFail2ban } from "./fail2ban.ts";
import { type Bench, counted, higher, type Part } from "./result.ts";

const GUARD_BANS = 5_000;
const FAIL2BAN_BANS = 300;
/** Each of the guard's sets holds one extra element. If it is missing, someone has emptied the set. */
const WATERMARKS = 1;

/** Many bans at once: from the first offence until the last of them is in the kernel. */
export const burst: Part = {
  name: "burst",
  says: "bans in a burst, against Fail2ban",
  async run(bench) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < (bench.quick ? 1 : 3); round++) {
      ours.push(await ofGuard(bench));
      theirs.push(await ofFail2ban(bench));
    }
    bench.say(`guard: ${list(ours)} bans/s; Fail2ban: ${list(theirs)} bans/s`);
    return [
      higher("bans in a burst", { value: median(ours), unit: "/s" }, { value: median(theirs), unit: "/s" }, null),
    ];
  },
};

/** Mails under a limit of one a minute. The first round causes no ban, but each mail of the second does. */
async function ofGuard({ programs, lab }: Bench): Promise<number> {
  await programs.wipe();
  const guard = await programs.startGuard({ GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "1" });
  const { policySocket: socket } = programs.layout;
  const mails = () => load({ socket, stages: ["DATA"], addresses: GUARD_BANS, requests: GUARD_BANS });
  return programs.whileRunning([guard], async () => {
    if ((await mails()).others !== 0) throw new Error("the first mails were refused");
    const second = await mails();
    if (second.others !== GUARD_BANS) throw new Error(`only ${second.others} of ${GUARD_BANS} were refused`);
    await until("all bans are in the kernel", async () => {
      const { stdout } = await lab.server.exec(["nft", "list", "set", "inet", "ghostinbox", "ban4"]);
      return (stdout.match(/\d+\.\d+\.\d+\.\d+/g)?.length ?? 0) === GUARD_BANS + WATERMARKS;
    });
    return GUARD_BANS / secondsSince(second.begunAtNs);
  });
}

/** Every line causes a ban. */
async function ofFail2ban({ lab }: Bench): Promise<number> {
  const fail2ban = await startFail2ban(lab, "pyinotify", 1);
  try {
    const lines = Array.from({ length: FAIL2BAN_BANS }, (_, i) =>
      fail2ban.line(`198.18.${100 + (i % 100)}.${100 + Math.floor(i / 100)}`),
    );
    const begunAtNs = Number(process.hrtime.bigint());
    appendFileSync(fail2ban.log, lines.join(""));
    await until("all bans are in the kernel", async () => (await fail2ban.bansInKernel()) === FAIL2BAN_BANS);
    return FAIL2BAN_BANS / secondsSince(begunAtNs);
  } finally {
    await fail2ban.stop();
  }
}

function secondsSince(atNs: number): number {
  return (Number(process.hrtime.bigint()) - atNs) / 1e9;
}

function list(rates: readonly number[]): string {
  return rates.map(counted).join(" ");
}
