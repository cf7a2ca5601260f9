import type { Verb } from "../../../wire/control/control.ts";

/** Whether a command reads Postfix's queue, which may be long, and waits for earlier commands. */
export function isOnQueue(verb: Verb): boolean {
  return verb.startsWith("queue_") || verb.startsWith("held_");
}

/** Whether its dry run does. A suspension reads the queue too, but must not wait; its dry run may. */
export function isTriedOnQueue(verb: Verb): boolean {
  return isOnQueue(verb) || verb === "account_suspend";
}
