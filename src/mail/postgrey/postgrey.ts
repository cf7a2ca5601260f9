import { type Layout, POSTGREY_USER } from "../../settings/layout.ts";
import { type RenderedFile, renderedScript, type Site } from "../configuration/site.ts";

/** The reply to strangers. It names no mechanism. */
const GREYLIST_TEXT = "Temporarily unavailable, try again later";

/** Its options depend on the settings, so they are rendered with them (`renderPostgrey`). */
export function postgreyCommand(layout: Layout): string {
  return `exec sh ${layout.postgreyConf}/command`;
}

/**
 * postgrey(8). Once a client has retried, all mail from its address is accepted. The group of its socket,
 * set by its directory, is Postfix's. If greylisting is off, a process that does nothing runs instead.
 */
export function renderPostgrey({ layout, hostname, greylist }: Site): RenderedFile {
  const options = [
    `--unix=${layout.greylistSocket}`,
    "--socketmode=0660",
    // Postfix logs each refusal already.
    "--quiet",
    `--dbdir=${layout.postgreyData}`,
    `--delay=${greylist.delaySeconds}`,
    "--auto-whitelist-clients=1",
    `--hostname=${hostname}`,
    `--greylist-text='${GREYLIST_TEXT}'`,
  ];
  // With groups other than those of passwd(5), it would give the socket to its own group (Net::Server, post_bind).
  const user = `setpriv --reuid ${POSTGREY_USER} --regid ${POSTGREY_USER} --init-groups --bounding-set=-all --no-new-privs`;
  const command = greylist.enabled ? ["postgrey", ...options] : ["sleep infinity"];
  return renderedScript("command", `exec ${[user, ...command].join(" \\\n  ")}\n`);
}
