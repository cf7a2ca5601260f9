import type { Verb } from "../../../wire/control/control.ts";

/** Whether a command reads Postfix's queue, which may be long, and waits for those before it. */
export function isOnQueue(verb: Verb): boolean {
  return verb.startsWith("queue_") || verb.startsWith("held_");
}

/** Whether its dry run does. The suspension of an account reads the queue too, but must not wait; a trial of it may. */
export function isTriedOnQueue(verb: Verb): boolean {
  return isOnQueue(verb) || verb === "account_suspend";
}
