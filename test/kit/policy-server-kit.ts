import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import { type Decision, decision } from "../../src/core/decide/decision.ts";
import type { Event } from "../../src/core/events/event.ts";
import type { Submit } from "../../src/guard/ports.ts";
import { createPolicyServer, type PolicyOptions } from "../../src/mail/postfix/policy-server.ts";
import { WITHOUT_GUARD } from "../../src/programs/guard/stand-in.ts";
import { temporaryDirectory } from "./temporary-directory.ts";
import { until } from "./until.ts";

export const PASS = decision("pass", "below_limit");
export const BANNED = decision("refuse", "banned");
export const ACTION = {
  pass: "action=DUNNO\n\n",
  banned: "action=421 4.7.0 Service not available, try again later\n\n",
};

/** An engine that answers when the test says so. */
export function heldEngine() {
  const asked: { event: Event; answer: (decided: Decision) => void }[] = [];
  return {
    asked,
    submit: (event: Event, answer: (decided: Decision) => void): void => void asked.push({ event, answer }),
    answer: (index: number, decided: Decision): void =>
      (asked[index] ?? assert.fail(`question ${index} was not asked`)).answer(decided),
  };
}

/** A server that runs until the test ends, and its first client. `submit`: instead of the held engine's. */
export async function started(options: Partial<PolicyOptions> = {}, submit?: Submit) {
  const engine = heldEngine();
  const [reports, details]: [string[], string[]] = [[], []];
  const report = (code: string, detail: string): void => {
    reports.push(code);
    details.push(detail);
  };
  const server = createPolicyServer(submit ?? engine.submit, report, { ...WITHOUT_GUARD, stopMs: 50, ...options });
  after(() => server.stop());
  const path = join(temporaryDirectory(), "policy.sock");
  await server.start(path);
  const client = postfixAt(path);
  /** Sends this as the first client, and waits until the engine has been asked one more question. */
  const asks = async (text = ask()): Promise<void> => {
    const before = engine.asked.length;
    client.socket.write(text);
    await until(() => engine.asked.length === before + 1, "the engine is asked");
  };
  return { server, engine, reports, details, path, client, asks };
}

/** A Postfix that keeps all replies, chunk by chunk. */
export function postfixAt(path: string) {
  const chunks: string[] = [];
  const socket = connect(path);
  socket.on("data", (chunk) => chunks.push(chunk.toString())).on("error", () => {});
  return { chunks, socket, text: () => chunks.join("") };
}

/** A question from Postfix. `more`: further attributes; if a name is repeated, the last one counts. */
export const ask = (state = "DATA", ...more: readonly string[]): string =>
  ["request=smtpd_access_policy", `protocol_state=${state}`, "client_address=203.0.113.7", ...more, "", ""].join("\n");
