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
type Try = Readonly<{ kind: Kind; subject: string; ok: boolean; said: string; beganAt: number; endedAt: number }>;

const MAILERS = 2;
/** Keeps the server busy but not flooded; longer if the exact moment of traffic does not matter. */
const PAUSE_MS = 150;
export const LONGER_PAUSE_MS = 500;

/** Mails from strangers to an account and its own sign-ins over IMAP, without a break, each from a different network. */
export class Traffic {
  readonly #lab: Lab;
  readonly #account: string;
  /** A hexadecimal digit that separates the networks of several traffics. */
  readonly #networks: string;
  readonly #pauseMs: number;
  readonly #tries: Try[] = [];
  readonly #end = new AbortController();
  readonly #done: Promise<unknown>;

  /** Runs while `work` does, and ends with it. */
  static async during(
    [lab, account, networks, pauseMs = PAUSE_MS]: readonly [Lab, string, string, number?],
    work: (traffic: Traffic) => Promise<void>,
  ): Promise<Traffic> {
    const traffic = new Traffic([lab, account, networks, pauseMs]);
    try {
      await until("the traffic flows", () => traffic.count("mail") > 0 && traffic.count("sign-in") > 0);
      await work(traffic);
    } finally {
      await traffic.#stop();
    }
    return traffic;
  }

  private constructor([lab, account, networks, pauseMs]: readonly [Lab, string, string, number]) {
    this.#lab = lab;
    this.#account = account;
    this.#networks = networks;
    this.#pauseMs = pauseMs;
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
    return this.#of(kind).filter(({ ok }) => ok).length;
  }

  /** Subjects of accepted mails. */
  get accepted(): readonly string[] {
    return this.#of("mail").flatMap(({ ok, subject }) => (ok ? [subject] : []));
  }

  /** Replies to failed ones. */
  failures(kind: Kind): readonly string[] {
    return this.#of(kind).flatMap(({ ok, said }) => (ok ? [] : [said]));
  }

  /** Maximum failures in a row. */
  failedInRow(kind: Kind): number {
    let [longest, row] = [0, 0];
    for (const { ok } of this.#of(kind)) {
      row = ok ? 0 : row + 1;
      longest = Math.max(longest, row);
    }
    return longest;
  }

  /** Longest duration. Milliseconds. */
  longest(kind: Kind): number {
    return Math.round(Math.max(0, ...this.#of(kind).map(({ beganAt, endedAt }) => endedAt - beganAt)));
  }

  #of(kind: Kind): readonly Try[] {
    return this.#tries.filter((one) => one.kind === kind);
  }

  async #stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #again(kind: Kind, worker: number): Promise<void> {
    for (let i = 0; !this.#end.signal.aborted; i++) {
      const beganAt = performance.now();
      const subject = `Traffic ${this.#networks}-${worker}-${i}`;
      const from = `2001:db8:b${this.#networks}${worker}0:${i.toString(16)}::1`;
      const outcome = await this.#try(kind, subject, from);
      this.#tries.push({ kind, subject, ...outcome, beganAt, endedAt: performance.now() });
      await pause(this.#pauseMs);
    }
  }

  async #try(kind: Kind, subject: string, from: string): Promise<Readonly<{ ok: boolean; said: string }>> {
    const { sender } = this.#lab;
    if (kind === "sign-in") {
      const { said } = await signIn(sender, { from, name: this.#account }).catch((error: unknown) => ({
        said: messageOf(error),
      }));
      return { ok: said.startsWith("OK"), said };
    }
    try {
      const { code, lines } = await sendMail({ host: sender, from, recipient: this.#account, subject });
      return { ok: code === 250, said: `${code} ${lines.join(" ")}` };
    } catch (error) {
      return { ok: false, said: messageOf(error) };
    }
  }
}

/** Those of these subjects that are not in the inbox. */
export function missingOf(layout: Layout, account: string, subjects: readonly string[]): readonly string[] {
  const found = new Set(mailsIn(layout, account).map((text) => /^Subject: (.*)$/m.exec(text)?.[1]?.trim()));
  return subjects.filter((subject) => !found.has(subject));
}
