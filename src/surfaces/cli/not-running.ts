import { IS_IMAGE } from "../../host/running/checkout.ts";
import { startCommand } from "../../host/running/server-commands.ts";
import type { Layout } from "../../settings/layout.ts";
import { type Failure, noServerIn } from "./call.ts";

/** The failure of commands that need a running server. Without one in the data directory, a start would create a second one elsewhere. */
export function notRunning(layout: Layout): Failure {
  const none = noServerIn(layout);
  const message = ["GhostInbox is not running.", none?.message].filter(Boolean).join(" ");
  const start = startCommand(layout);
  const next = [`Start it with ${IS_IMAGE ? start : `\`${start}\``}.`, none?.next].filter(Boolean).join(" ");
  return { ok: false, exit: "not_running", message, next };
}
