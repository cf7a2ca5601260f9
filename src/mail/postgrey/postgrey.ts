import { type Layout, POSTGREY_USER } from "../../settings/layout.ts";
import { type RenderedFile, renderedScript, type Site } from "../configuration/site.ts";

/** The reply to strangers. It names no mechanism. */
const GREYLIST_TEXT = "Temporarily unavailable, try again later";

/** Strangers can make up any number of senders. When a file reaches this size, Postgrey is killed and starts with an empty database. */
const MOST_MB = 128;
/** A killed Postgrey's file may lack its last pages, so a somewhat smaller one counts as full too. */
const FULL_MB = 120;
/** ulimit of sh(1) counts blocks of 512 bytes. */
const BLOCKS_OF_MB = 2_048;

/** Postgrey's options depend on the settings, so `renderPostgrey` renders them into a script. */
export function postgreyCommand(layout: Layout): string {
  return `exec sh ${layout.postgreyConf}/command`;
}

/**
 * postgrey(8). Once a client has retried, all mail from its address is accepted. Postgrey's socket belongs to Postfix's
 * group, which it inherits from its directory. If greylisting is off, a process that does nothing runs instead.
 */
export function renderPostgrey({ layout, hostname, greylist }: Site): RenderedFile {
  const options = [
    `--unix=${layout.greylistSocket}`,
    "--socketmode=0660",
    // Postfix logs each refusal already.
    "--quiet",
    // Stores hashes, so that long addresses take no more space.
    "--privacy",
    `--dbdir=${layout.postgreyData}`,
    `--delay=${greylist.delaySeconds}`,
    "--auto-whitelist-clients=1",
    `--hostname=${hostname}`,
    `--greylist-text='${GREYLIST_TEXT}'`,
  ];
  // With groups other than those of passwd(5), it would give the socket to its own group (Net::Server, post_bind).
  const user = `setpriv --reuid ${POSTGREY_USER} --regid ${POSTGREY_USER} --init-groups --bounding-set=-all --no-new-privs`;
  if (!greylist.enabled) return renderedScript("command", `exec ${user} sleep infinity\n`);
  const find = `find ${layout.postgreyData} -mindepth 1`;
  const bounded = [
    // find(1) returns to the directory in which it started, and Postgrey's user may not enter the service's.
    "cd /",
    `ulimit -f ${MOST_MB * BLOCKS_OF_MB}`,
    `${user} ${find} -name 'postgrey*.db' -size +${FULL_MB}M -exec ${find} -delete ';'`,
    // No fsync for each entry: at night Postgrey removes old entries one by one, and answers no one until it has finished. A kill loses
    // nothing, a power failure the last seconds.
    `echo 'set_flags DB_TXN_WRITE_NOSYNC on' | ${user} tee ${layout.postgreyData}/DB_CONFIG >/dev/null`,
  ];
  const start = `exec ${[user, "postgrey", ...options].join(" \\\n  ")}`;
  return renderedScript("command", `${[...bounded, start].join("\n")}\n`);
}
