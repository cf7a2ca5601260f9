import { asUserOnly, type ServiceCommands } from "../../host/running/runit.ts";
import { CONTENT_USERS, type Layout } from "../../settings/layout.ts";
import { type RenderedFile, renderedScript, type Site } from "../configuration/site.ts";
import { REFUSED_AS_SPAM } from "../logs/content-filter-log.ts";
import { SPAM_SECONDS } from "../postfix/milters.ts";
import { fetchedRules, PACKAGED_RULES } from "./spamassassin-conf.ts";

/**
 * How SpamAssassin runs, and scores `atOnce` mails at once. Postfix asks spamass-milter, which starts spamc for each mail. spamc asks
 * spam-head (`security/spam-head.py`), which forwards a mail, or parts of a long one, to spamd. Without any of them no mail is scored.
 */
export function spamServices(
  layout: Layout,
  atOnce: number,
): Record<"spamd" | "spam-head" | "spamass-milter", ServiceCommands> {
  const { spamHead, spamHeadSocket, spamdSocket, spamPulseSocket, spamMilterConf } = layout;
  // What depends on the settings is rendered with them (`renderSpamMilter`).
  const finish = [`exec sh ${spamMilterConf}/spamd-ended`];
  return {
    spamd: { run: [spamdCommand(layout, atOnce)], finish },
    // Runs as spamd's user; it needs only the sockets.
    "spam-head": {
      run: [
        `exec ${asUserOnly(CONTENT_USERS.spamd)}/usr/bin/python3 -I ${spamHead} ${spamHeadSocket} ${spamdSocket} ${spamPulseSocket}`,
      ],
      finish,
    },
    "spamass-milter": { run: [`exec sh ${spamMilterConf}/command`] },
  };
}

/**
 * spamd(8p): one child waits for work, and others start while it is busy, up to `processes` in all. It looks for a user's preferences under
 * the recipient's address (programs/guard/watch-content.ts).
 */
function spamdCommand(layout: Layout, processes: number): string {
  const options = [
    `--siteconfigpath=${layout.spamAssassinConf}`,
    `--username=${CONTENT_USERS.spamd}`,
    "--nouser-config",
    `--virtual-config-dir=${layout.spamPreferences}/%d/%l`,
    `--socketpath=${layout.spamdSocket}`,
    // Only spamd's own user may connect, even for learning. spam-head, which runs as that user, forwards requests.
    "--socketmode=0600",
    "--allow-tell",
    `--min-children=1 --max-children=${processes} --min-spare=1 --max-spare=1`,
    `--timeout-child=${SPAM_SECONDS}`,
    "--syslog=stderr --log-timestamp-fmt=",
  ];
  const user = asUserOnly(CONTENT_USERS.spamd);
  // Checked as spamd's user, who owns the files there.
  const rules = `rules=${fetchedRules(layout)}; [ -d "$rules" ] || rules=${PACKAGED_RULES}`;
  return `exec ${user}env HOME=${layout.spamState} sh -c '${rules}; exec spamd --configpath="$rules" ${options.join(" ")}'`;
}

/**
 * spamass-milter(8) accepts a mail if spamc fails for any reason. So where mail must wait, the milter runs only while
 * spamd does, and Postfix answers 4xx without it.
 */
export function renderSpamMilter(site: Site): readonly RenderedFile[] {
  const { layout, spam } = site;
  const waits = spam.onFailure === "wait";
  // runsv starts the milter again unless the server is stopping; `sv restart` would start it even then.
  const ended = waits ? `exec sv -w 0 term ${layout.services}/spamass-milter` : "exit 0";
  const untilAnswers = `until timeout 5 spamc -K -U ${layout.spamHeadSocket} >/dev/null 2>&1; do sleep 1; done`;
  const command = [...(waits ? [untilAnswers] : []), ...milterCommand(site), ""];
  return [renderedScript("command", command.join("\n")), renderedScript("spamd-ended", `${ended}\n`)];
}

/** The recipient's address goes to spamd as the user name. */
function milterCommand({ layout, domains, spam, messageSizeBytes, limits }: Site): readonly string[] {
  const refuse = spam.refuseScore === 0 ? "" : ` -r ${spam.refuseScore} -R '${REFUSED_AS_SPAM}'`;
  // The shorter timeout decides about a hanging spamd: with spamc's the mail passes, with Postfix's its own setting
  // applies.
  const seconds = spam.onFailure === "pass" ? SPAM_SECONDS - 5 : 3 * SPAM_SECONDS;
  return [
    // Postfix may use its socket through the group of the directory; the milter itself is not in that group.
    "umask 007",
    // For each mail the milter closes every possible file descriptor before it runs spamc: a million in some containers.
    `exec chpst -o ${FILES + FILES_OF_A_PLACE * limits.smtpPlaces} ${asUserOnly(CONTENT_USERS.spamMilter)}\\`,
    `  spamass-milter -p ${layout.spamMilterSocket} -u nobody -e ${domains[0] ?? "localhost"}${refuse} \\`,
    // spamc takes only the headers from the answer and keeps the body, because spamd saw only the start of a long one.
    `  -- -U ${layout.spamHeadSocket} -t ${seconds} --headers -s ${Math.min(messageSizeBytes + ROOM_BYTES, MOST_BYTES)}`,
  ];
}

/** File descriptors of the milter itself, and for connections at port 25 and the port for proxies: Postfix's, and two pipes to spamc. */
const FILES = 100;
const FILES_OF_A_PLACE = 15;

/** Bytes that Postfix and the milter add to a mail, and the maximum of spamc(1)'s `-s`. */
const ROOM_BYTES = 2 * 1024 * 1024;
const MOST_BYTES = 256 * 1024 * 1024;
