import type { Reply, WebVerb } from "../../wire/control/control.ts";
import type { Asker, CommandOf, GuardPort, Unreachable } from "./ports.ts";
import { denied, guardDown, guardSilent, problem } from "./problem.ts";

/**
 * Sends a command to the guard for the caller, and turns its answer into the route's with `shape`. A refusal becomes a
 * problem.
 */
export async function command<V extends WebVerb, A>(
  guard: GuardPort,
  by: Asker,
  asked: CommandOf<V>,
  shape: (result: Extract<Reply<V>, { ok: true }>["result"]) => A,
): Promise<A | Response> {
  const reply: Reply<V> | Unreachable = await guard.ask(by, asked);
  if (reply.ok) return shape(reply.result);
  if (reply.kind !== "unreachable" && reply.denied !== undefined) return denied(reply.denied, reply);
  if (reply.kind === "failed" && reply.isMissing === true)
    return problem({ status: 404, code: "not_found", detail: reply.message, next: reply.next });
  switch (reply.kind) {
    case "unreachable":
      return reply.mayBeDone === true ? guardSilent() : guardDown();
    case "usage":
      return problem({ status: 400, code: "invalid_request", detail: reply.message, next: reply.next });
    case "failed":
      return problem({ status: 409, code: "refused", detail: reply.message, next: reply.next });
  }
}
