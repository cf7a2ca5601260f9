import { setTimeout as pause } from "node:timers/promises";
import { messageOf } from "../../src/core/error.ts";
import type { Layout } from "../../src/settings/layout.ts";
import type { Lab } from "./lab.ts";
import { signIn } from "./login-attacks.ts";
import { sendMail } from "./mail.ts";
import { mailsIn } from "./mailbox.ts";
import { until } from "./wait.ts";

type Kind = "mail" | "sign-in";
/** One mail or sign-in. `said`: the reply, or why there was none. */
type Try = Readonly<{ kind: Kind; subject: string; ok: boolean; said: string; tookMs: number }>;
/** `networks`: a hexadecimal digit that separates those of several traffics. */
type Of = readonly [lab: Lab, account: string, networks: string, pauseMs?: number];

const MAILERS = 2;
/** Keeps the server busy but not flooded; longer if the exact moment of traffic does not matter. */
const PAUSE_MS = 150;
export const LONGER_PAUSE_MS = 500;

/** Mails from strangers to an account and its own sign-ins over IMAP, without a break, each from a different network. */
export class Traffic {
  readonly #of: Of;
  readonly #tries: Try[] = [];
  readonly #end = new AbortController();
  readonly #done: Promise<unknown>;

  /** Runs while `work` does, and ends with it. */
  static async during(of: Of, work: (traffic: Traffic) => Promise<void>): Promise<Traffic> {
    const traffic = new Traffic(of);
    try {
      await until("the traffic flows", () => traffic.count("mail") > 0 && traffic.count("sign-in") > 0);
      await work(traffic);
    } finally {
      traffic.#end.abort();
      await traffic.#done;
    }
    return traffic;
  }

  private constructor(of: Of) {
    this.#of = of;
    const mailers = Array.from({ length: MAILERS }, (_, worker) => this.#again("mail", worker));
    this.#done = Promise.all([...mailers, this.#again("sign-in", MAILERS)]);
  }

  /** Prints a summary. */
  get summary(): string {
    const of = (kind: Kind): string =>
      `${this.count(kind)} times ${kind}, the longest ${this.longest(kind)} ms, ${this.failures(kind).length} cut off`;
    return `${of("mail")}; ${of("sign-in")}`;
  }

  count(kind: Kind): number {
    return this.#triesOf(kind).filter(({ ok }) => ok).length;
  }

  /** Subjects of accepted mails. */
  get accepted(): readonly string[] {
    return this.#triesOf("mail").flatMap(({ ok, subject }) => (ok ? [subject] : []));
  }

  /** Replies to failed ones. */
  failures(kind: Kind): readonly string[] {
    return this.#triesOf(kind).flatMap(({ ok, said }) => (ok ? [] : [said]));
  }

  /** Maximum failures in a row. */
  failedInRow(kind: Kind): number {
    let [longest, row] = [0, 0];
    for (const { ok } of this.#triesOf(kind)) {
      row = ok ? 0 : row + 1;
      longest = Math.max(longest, row);
    }
    return longest;
  }

  /** Longest duration. Milliseconds. */
  longest(kind: Kind): number {
    return Math.round(Math.max(0, ...this.#triesOf(kind).map(({ tookMs }) => tookMs)));
  }

  #triesOf(kind: Kind): readonly Try[] {
    return this.#tries.filter((one) => one.kind === kind);
  }

  async #again(kind: Kind, worker: number): Promise<void> {
    const [, , networks, pauseMs = PAUSE_MS] = this.#of;
    for (let i = 0; !this.#end.signal.aborted; i++) {
      const beganAt = performance.now();
      const subject = `Traffic ${networks}-${worker}-${i}`;
      const from = `2001:db8:b${networks}${worker}0:${i.toString(16)}::1`;
      const said = await this.#try(kind, subject, from).catch(messageOf);
      const ok = said.startsWith(kind === "mail" ? "250 " : "OK");
      this.#tries.push({ kind, subject, ok, said, tookMs: performance.now() - beganAt });
      await pause(pauseMs);
    }
  }

  /** Returns the reply. */
  async #try(kind: Kind, subject: string, from: string): Promise<string> {
    const [{ sender: host }, account] = this.#of;
    if (kind === "sign-in") return (await signIn(host, { from, name: account })).said;
    const { code, lines } = await sendMail({ host, from, recipient: account, subject });
    return `${code} ${lines.join(" ")}`;
  }
}

/** Those of these subjects that are not in the inbox. */
export function missingOf(layout: Layout, account: string, subjects: readonly string[]): readonly string[] {
  const found = new Set(mailsIn(layout, account).map((text) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim()));
  return subjects.filter((subject) => !found.has(subject));
}
