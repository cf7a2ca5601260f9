import { fileURLToPath } from "node:url";
import { SERVER } from "../test/lab/network.ts";
import { median, until } from "../test/lab/wait.ts";
import { Lines, LOAD_CPU, pinned } from "./child.ts";
import { ECHO_PORT, type Offence, type OffenceDone } from "./echo.ts";
import { type Backend, startFail2ban } from "./fail2ban.ts";
import type { ProbeDone, ProbeWish } from "./prober.ts";
import { type Bench, lower, ms, type Part, type Row } from "./result.ts";

/** Failed logins that cause a ban: five different passwords for the guard, five lines for Fail2ban. */
const OFFENCES = 5;
const PARTS_OF_FAIL2BAN = 100;
const LOGIN_POLICY_PORT = 10_025;
/** The attacker owns 198.51.100.192/26. */
const FIRST_ATTACKER = 193;
const ATTACKERS = 62;

/** From the last offence to the first dropped packet. */
export const banTime: Part = {
  name: "ban-time",
  says: "from the last failed login to the first dropped packet, against Fail2ban",
  async run(bench) {
    const probes = await startProbes(bench);
    try {
      const runs = bench.quick ? 5 : 20;
      const ours = await ofGuard(bench, probes, runs);
      const inotify = await ofFail2ban(bench, probes, { backend: "pyinotify", runs: bench.quick ? 3 : 12 });
      const polling = bench.quick ? [] : await ofFail2ban(bench, probes, { backend: "polling", runs: 10 });
      return [...compare("inotify", ours, inotify), ...(polling.length === 0 ? [] : compare("polling", ours, polling))];
    } finally {
      await probes.stop();
    }
  },
};

function compare(how: string, ours: readonly number[], theirs: readonly number[]): readonly Row[] {
  const target = how === "inotify" ? PARTS_OF_FAIL2BAN : null;
  return [
    lower(`offence to dropped packet, Fail2ban by ${how}, median`, ms(median(ours)), ms(median(theirs)), target),
    lower(`  slowest of ${ours.length} and of ${theirs.length}`, ms(Math.max(...ours)), ms(Math.max(...theirs)), null),
  ];
}

async function ofGuard(bench: Bench, probes: Probes, runs: number): Promise<readonly number[]> {
  await bench.programs.wipe();
  const guard = await bench.programs.startGuard();
  const report = (ip: string, attempt: number): Offence => ({
    type: "http",
    port: LOGIN_POLICY_PORT,
    request: loginReport(bench.programs.loginSecret, ip, attempt),
  });
  return bench.programs.whileRunning([guard], async () => {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const ip = probes.attacker();
      for (let attempt = 1; attempt < OFFENCES; attempt++) await probes.commit(report(ip, attempt));
      times.push(await probes.time(ip, report(ip, OFFENCES)));
    }
    printTimes(bench, "guard", times);
    return times;
  });
}

async function ofFail2ban(
  bench: Bench,
  probes: Probes,
  { backend, runs }: Readonly<{ backend: Backend; runs: number }>,
): Promise<readonly number[]> {
  const fail2ban = await startFail2ban(bench.lab, backend, OFFENCES);
  try {
    const times: number[] = [];
    for (let run = 0; run < runs; run++) {
      const ip = probes.attacker();
      const counted = OFFENCES * run + OFFENCES - 1;
      for (let attempt = 1; attempt < OFFENCES; attempt++)
        await probes.commit({ type: "log", file: fail2ban.log, text: fail2ban.line(ip) });
      await until("Fail2ban has read the log", async () => (await fail2ban.failures()) === counted);
      times.push(await probes.time(ip, { type: "log", file: fail2ban.log, text: fail2ban.line(ip) }));
    }
    printTimes(bench, `Fail2ban (${backend})`, times);
    return times;
  } finally {
    await fail2ban.stop();
  }
}

/** The report that Dovecot posts after a failed login (auth-policy.c). */
function loginReport(secret: string, remote: string, attempt: number): string {
  const body = JSON.stringify({
    device_id: "",
    login: "alice@example.org",
    protocol: "imap",
    pwhash: attempt.toString(16).padStart(4, "0"),
    remote,
    session_id: "0aBcDeFg",
    success: false,
    policy_reject: false,
    tls: true,
  });
  const head = `POST /?command=report HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${secret}\r\n`;
  return `${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function printTimes(bench: Bench, who: string, times: readonly number[]): void {
  const listed = times.map((time) => time.toFixed(time < 10 ? 2 : 0)).join(" ");
  bench.say(`${who}: median ${median(times).toFixed(2)} ms of ${listed}`);
}

export type Probes = Awaited<ReturnType<typeof startProbes>>;

/** The two ends of the probe, each in its own network namespace, both away from the core of the servers. */
export async function startProbes({ lab }: Bench) {
  const program = (name: string) => pinned(LOAD_CPU, [process.execPath, fileURLToPath(new URL(name, import.meta.url))]);
  const echo = new Lines(lab.server.inside(program("echo.ts")));
  const prober = new Lines(lab.attacker.inside(program("prober.ts")));
  await Promise.all([echo.next(), prober.next()]);
  let attackers = 0;
  const commit = async (offence: Offence): Promise<number> => {
    echo.write(offence);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
    return (JSON.parse(await echo.next()) as OffenceDone).atNs;
  };
  /** Resolves once the address gets through. */
  const begin = async (from: string): Promise<void> => {
    prober.write({ from, to: SERVER.v4, port: ECHO_PORT } satisfies ProbeWish);
    const line = await prober.next();
    if (line !== "probing") throw new Error(`the prober does not get through: ${line}`);
  };
  /** When the first dropped packet was sent (CLOCK_MONOTONIC, ns). */
  const dropped = async (): Promise<number> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this repository's
    return (JSON.parse(await prober.next()) as ProbeDone).droppedAtNs;
  };
  return {
    commit,
    begin,
    dropped,
    /** An address that has done nothing yet. */
    attacker: (): string => {
      if (attackers >= ATTACKERS) throw new Error("no more attackers");
      return `198.51.100.${FIRST_ATTACKER + attackers++}`;
    },
    /** Milliseconds from the offence to the first dropped packet. */
    time: async (from: string, offence: Offence): Promise<number> => {
      await begin(from);
      const offendedAt = await commit(offence);
      const droppedAt = await dropped();
      if (droppedAt < offendedAt) throw new Error("packets were dropped before the last offence");
      return (droppedAt - offendedAt) / 1e6;
    },
    stop: () => Promise.all([echo.stop(), prober.stop()]),
  };
}
