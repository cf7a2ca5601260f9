import { once } from "node:events";
import { connect, createServer } from "node:net";
import { decision } from "../../core/decide/decision.ts";
import type { Submit } from "../../guard/ports.ts";
import { listenUnix } from "../../host/sockets/unix-socket.ts";
import { createLoginPolicyServer } from "../../mail/dovecot/login-policy-server.ts";
import { createPolicyServer, POLICY_LIMITS, type PolicyOptions } from "../../mail/postfix/policy-server.ts";
import type { Layout } from "../../settings/layout.ts";

const TAKE_OVER_MS = 2_000;
/** A stand-in that is just starting may take the socket in between. */
const TRIES = 5;

/** Replaces what only the guard knows: no disk is full, no session is over, and no client is a trusted proxy or Dovecot. */
export const WITHOUT_GUARD: PolicyOptions = {
  ...POLICY_LIMITS,
  stopMs: 100,
  hasRoom: () => true,
  guardsProxied: () => false,
  isDovecot: null,
  sessions: { begin: () => undefined, isOver: () => false },
  decided: () => undefined,
};

/**
 * Accepts everything while the guard is known to be dead, and records nothing. It doesn't replace a slow guard: without an answer Postfix
 * and Dovecot refuse temporarily, so no one bypasses the limits. `left` is called once the guard has taken over. Returns a function that
 * starts it, and rejects if another stand-in, or the guard, runs. The guard's port may be shared, so it opens its socket first.
 */
export function createStandIn(layout: Layout, loginPort: number, secret: string, left: () => void) {
  const submit: Submit = (_, answer) => answer(decision("pass", "below_limit"));
  const report = (): void => undefined;
  const policy = createPolicyServer(submit, report, WITHOUT_GUARD);
  // Dovecot's port for proxies stays open, because the firewall's table stays in the kernel.
  const guardsProxied = (): boolean => true;
  const logins = createLoginPolicyServer({ submit, secret, report, guardsProxied });
  const leave = async (): Promise<void> => {
    handover.close();
    await Promise.all([policy.stop(), logins.stop()]);
  };
  // Needs a written request: a starting program also connects, to see whether another one listens.
  const handover = createServer((client) => {
    client.on("error", () => client.destroy());
    client.once("data", () => void leave().finally(() => client.destroy()));
  }).once("close", left);
  return async (): Promise<void> => {
    await listenUnix(handover, layout.standIn, 0o600);
    try {
      await policy.start(layout.policySocket);
      // Another user's program may hold the port: only sign-ins wait for its end, not mail.
      await logins.start(loginPort).catch(() => undefined);
    } catch (error) {
      await leave();
      throw error;
    }
  };
}

/** Takes over from a stand-in, if there is one, and listens. */
export async function takeOver(handover: string, listen: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    await standInLeaves(handover);
    try {
      return await listen();
    } catch (error) {
      if (tries === TRIES) throw error;
    }
  }
}

async function standInLeaves(handover: string): Promise<void> {
  const asked = connect(handover);
  asked.setTimeout(TAKE_OVER_MS, () => asked.destroy());
  asked.write("I am back.\n");
  asked.resume();
  await once(asked, "close").catch(() => undefined);
}
