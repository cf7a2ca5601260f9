import type { Reply, WebVerb } from "../../wire/control/control.ts";
import type { CommandOf, GuardPort, Unreachable } from "./ports.ts";
import { guardDown, problem } from "./problem.ts";

/**
 * Sends a command to the guard for the caller, and turns its answer into the route's with `shape`. A refusal becomes a
 * problem.
 */
export async function command<V extends WebVerb, A>(
  guard: GuardPort,
  by: string,
  asked: CommandOf<V>,
  shape: (result: Extract<Reply<V>, { ok: true }>["result"]) => A,
): Promise<A | Response> {
  const reply: Reply<V> | Unreachable = await guard.ask(by, asked);
  if (reply.ok) return shape(reply.result);
  switch (reply.kind) {
    case "unreachable":
      return guardDown();
    case "usage":
      return problem({ status: 400, code: "invalid_request", detail: reply.message, next: reply.next });
    case "failed":
      return problem({ status: 409, code: "refused", detail: reply.message, next: reply.next });
  }
}
