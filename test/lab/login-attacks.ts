import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import type { AlertItem } from "../../src/admin/server.ts";
import { messageOf } from "../../src/core/error.ts";
import { AS_SHIPPED } from "./for-tests.ts";
import { type GuardClock, guardClock } from "./guard-clock.ts";
import type { Host } from "./host.ts";
import { logIn, openImap } from "./mail.ts";
import { type Environment, PASSWORD, type Product } from "./product.ts";
import { type Credentials, openSasl, type SaslClient } from "./sasl.ts";
import { type Verification, watchVerifications } from "./verified.ts";

/** The defaults, with Fail2ban, but without content filters and block lists, which start slowly and which sign-ins don't use. */
export const LOGINS_AS_SHIPPED: Environment = {
  ...AS_SHIPPED,
  GHOSTINBOX_SPAM__ENABLED: "false",
  GHOSTINBOX_DNSBL__ZONES: "[]",
};

/** Signs in over IMAP and returns the answer: an error if the connection failed, `closed` and the last line if the server ended it. */
export async function signIn(host: Host, { from, name, password }: Credentials) {
  const began = performance.now();
  const dialog = await openImap(host, from).catch(messageOf);
  if (typeof dialog === "string") return { answer: dialog, tookMs: performance.now() - began };
  const answer = (await logIn(dialog, name, password)) ?? `closed after ${dialog.transcript.at(-1)}`;
  dialog.close();
  return { answer, tookMs: performance.now() - began };
}

/** A sign-in that must succeed within this time. */
export async function assertSignsIn(host: Host, credentials: Credentials, withinMs: number): Promise<void> {
  const { answer, tookMs } = await signIn(host, credentials);
  const who = `${credentials.name} from ${credentials.from}`;
  assert.match(answer, /^OK/, who);
  assert.ok(tookMs < withinMs, `${who} waited ${Math.round(tookMs)} ms`);
}

/**
 * Watches the verified passwords of a server, sets its clock, and signs in through its Postfix. For the tests of a `describe`, before
 * which it restarts Dovecot and the guard.
 */
export function watchedLogins(product: Product) {
  let verifications: () => readonly Verification[];
  let clock: GuardClock;
  let postfix: SaslClient;
  before(async () => {
    verifications = await watchVerifications(product);
    clock = await guardClock(product);
    postfix = await openSasl(product);
  });
  after(() => postfix.close());
  return {
    /** Counts the passwords that Dovecot compared. */
    verified: (counts: (one: Verification) => boolean): number => verifications().filter(counts).length,
    get clock() {
      return clock;
    },
    get postfix() {
      return postfix;
    },
  };
}

/** Milliseconds. Without a pause the sign-ins of one device would take a whole core. */
const BETWEEN_SIGN_INS_MS = 1_000;

/** Repeats `work` with pauses until `task` ends, at least once. Ends when both have ended; fails if either fails. */
export async function during<T>(task: Promise<T>, work: (round: number) => Promise<void>): Promise<T> {
  const over = new AbortController();
  const ended = task.finally(() => over.abort());
  const repeated = async (): Promise<void> => {
    for (let round = 0; round === 0 || !over.signal.aborted; round++) {
      await work(round);
      await pause(BETWEEN_SIGN_INS_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  };
  const repeating = repeated();
  await Promise.allSettled([ended, repeating]);
  await repeating;
  return ended;
}

/** Adds many accounts with one command, with a clear-text password that is hashed as by `account add`. */
export async function importAccounts(product: Product, names: readonly string[]): Promise<void> {
  const file = product.lab.path("accounts-to-import");
  writeFileSync(file, names.map((name) => `${name}|{PLAIN}${PASSWORD}\n`).join(""), { mode: 0o600 });
  await product.json(["account", "import", file]);
}

/** Alerts that name any of these. */
export async function alertsOf(product: Product, ...names: readonly string[]): Promise<readonly AlertItem[]> {
  const alerts = await product.alerts();
  return alerts.filter(({ subject, detail }) => names.some((name) => subject.includes(name) || detail.includes(name)));
}
