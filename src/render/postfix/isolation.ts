import type { Site } from "../site.ts";

/**
 * A socket that is not there, and says in the queue's reason why. Not Postfix's own service `retry`: smtpd(8) refuses mail
 * for a recipient that leads to it, and the mail of administrators is to be taken.
 */
const WAITS = "lmtp:unix:private/this-server-is-isolated";
/** Longer than an incident: no mail comes back because of its age while it is held. */
const HELD_TIME = "100d";

/**
 * Parameters of an isolated server: its mail stays in the queue. Each try fails for now, also one that somebody asks for
 * with `queue flush`, so that nothing leaves and nothing is lost.
 */
export function postfixIsolation({ held }: Pick<Site, "held">): Readonly<Record<string, string>> {
  if (!held.includes("receive") && !held.includes("send")) return {};
  return {
    ...(held.includes("receive") ? { virtual_transport: WAITS } : {}),
    ...(held.includes("send") ? { default_transport: WAITS, relay_transport: WAITS, relayhost: "" } : {}),
    maximal_queue_lifetime: HELD_TIME,
    bounce_queue_lifetime: HELD_TIME,
    delay_warning_time: "0",
  };
}
