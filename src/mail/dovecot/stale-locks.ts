import { type Layout, USERS } from "../../settings/layout.ts";

/** Older than any live lock that is empty: Dovecot writes its process id into a lock as soon as it exists. */
const EMPTY_MINUTES = 0.2;

/**
 * A command that removes locks of Maildirs, as the user who owns them, and prints their names. Dovecot waits two minutes for a lock
 * that is empty (the disk failed when it was written) or names another host (a container that was replaced). `empty`: only such, as
 * others may be in use. find(1); a Maildir is at mail/DOMAIN/USER/Maildir, its folders are below it.
 */
export function removesStaleLocks({ mail }: Pick<Layout, "mail">, which: "empty" | "all"): readonly string[] {
  const user = USERS.mail;
  const asOwner = `setpriv --reuid ${user} --regid ${user} --clear-groups --bounding-set=-all --no-new-privs`;
  const folders = "-maxdepth 5 -name cur -prune -o -name new -prune -o -name tmp -prune";
  const locks = `-name dovecot-uidlist.lock -type f -mmin +${EMPTY_MINUTES}${which === "empty" ? " -empty" : ""}`;
  return `${asOwner} find ${mail} ${folders} -o ${locks} -print -exec rm -f {} +`.split(" ");
}
