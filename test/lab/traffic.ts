import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../src/core/error.ts";
import type { Layout } from "../../src/settings/layout.ts";
import type { Lab } from "./lab.ts";
import { signIn } from "./login-attacks.ts";
import { sendMail, words } from "./mail.ts";
import { mailsIn } from "./mailbox.ts";
import { until } from "./wait.ts";

type Kind = "mail" | "sign-in";
/** One mail or sign-in. `answer`: the reply, or why there was none. */
type Try = Readonly<{ kind: Kind; subject: string; ok: boolean; answer: string; tookMs: number }>;
/** `networks`: a hexadecimal digit that keeps the networks of each `Traffic` apart. */
type TrafficOptions = Readonly<{ lab: Lab; account: string; networks: string; pauseMs?: number }>;

const MAILERS = 2;
/** Short enough to keep the server busy, without flooding it. */
const PAUSE_MS = 150;
export const LONGER_PAUSE_MS = 500;

export type Traffic = ReturnType<typeof summaryOf>;

/** While `work` runs, strangers send mail to an account and it signs in over IMAP, each time from another network. */
export async function duringTraffic(
  { lab, account, networks, pauseMs = PAUSE_MS }: TrafficOptions,
  work: (traffic: Traffic) => Promise<void>,
): Promise<Traffic> {
  const tries: Try[] = [];
  const end = new AbortController();
  const traffic = summaryOf(tries);

  const repeat = async (kind: Kind, worker: number): Promise<void> => {
    for (let i = 0; !end.signal.aborted; i++) {
      const beganAt = performance.now();
      const subject = `Traffic ${networks}-${worker}-${i}`;
      const from = `2001:db8:b${networks}${worker}0:${i.toString(16)}::1`;
      const answer = await tryOne(kind, subject, from).catch(messageOf);
      const ok = answer.startsWith(kind === "mail" ? "250 " : "OK");
      tries.push({ kind, subject, ok, answer, tookMs: performance.now() - beganAt });
      await pause(pauseMs);
    }
  };

  /** Returns the reply. */
  const tryOne = async (kind: Kind, subject: string, from: string): Promise<string> => {
    if (kind === "sign-in") return (await signIn(lab.sender, { from, name: account })).answer;
    return words(await sendMail({ host: lab.sender, from, recipient: account, subject }));
  };

  const mailers = Array.from({ length: MAILERS }, (_, worker) => repeat("mail", worker));
  const done = Promise.all([...mailers, repeat("sign-in", MAILERS)]);
  try {
    await until("the traffic flows", () => traffic.count("mail") > 0 && traffic.count("sign-in") > 0);
    await work(traffic);
  } finally {
    end.abort();
    await done;
  }
  return traffic;
}

/** The traffic so far. */
function summaryOf(tries: readonly Try[]) {
  const of = (kind: Kind): readonly Try[] => tries.filter((one) => one.kind === kind);
  const count = (kind: Kind): number => of(kind).filter(({ ok }) => ok).length;
  /** Replies to failed ones. */
  const failures = (kind: Kind): readonly string[] => of(kind).flatMap(({ ok, answer }) => (ok ? [] : [answer]));
  /** Longest duration. Milliseconds. */
  const longest = (kind: Kind): number => Math.round(Math.max(0, ...of(kind).map(({ tookMs }) => tookMs)));
  return {
    count,
    failures,
    longest,
    /** Subjects of accepted mails. */
    accepted: () => of("mail").flatMap(({ ok, subject }) => (ok ? [subject] : [])),
    /** Maximum failures in a row. */
    failedInRow: (kind: Kind): number => {
      const marks = of(kind)
        .map(({ ok }) => (ok ? " " : "x"))
        .join("");
      return Math.max(...marks.split(" ").map(({ length }) => length));
    },
    print: (): void => {
      for (const kind of ["mail", "sign-in"] as const)
        console.log(`${count(kind)} times ${kind}, the longest ${longest(kind)} ms, ${failures(kind).length} cut off`);
    },
  };
}

/** Those of these subjects that are not in the inbox. */
export function missingOf(layout: Layout, account: string, subjects: readonly string[]): readonly string[] {
  const found = new Set(mailsIn(layout, account).map((text) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim()));
  return subjects.filter((subject) => !found.has(subject));
}
