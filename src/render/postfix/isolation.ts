import type { Site } from "../site.ts";

/**
 * A missing socket, whose name explains the delay in the queue. Not Postfix's own service `retry`: smtpd(8) refuses mail
 * for recipients routed to it, and mail to administrators must be accepted.
 */
const WAITS = "lmtp:unix:private/this-server-is-isolated";
/** Longer than an incident: no mail comes back because of its age while it is held. */
const HELD_TIME = "100d";

/**
 * Parameters of an isolated server: its mail stays in the queue. Each attempt fails temporarily, even one requested
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
