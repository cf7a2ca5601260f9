import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { SECOND_MS } from "../../core/time.ts";
import { type Finished, lastLines, runAsOther, runProgram, TIMED_OUT } from "../../host/machine/run-program.ts";
import { setModified } from "../../host/root-files/files.ts";
import type { ServiceName } from "../../host/running/runit.ts";
import { restartService } from "../../host/running/supervise.ts";
import { CONTENT_USERS, type Layout } from "../../settings/layout.ts";
import { renderUnbound } from "../dns/unbound-conf.ts";
import { renderDovecot } from "../dovecot/dovecot-conf.ts";
import { renderSieve } from "../dovecot/sieve.ts";
import { renderFail2ban } from "../fail2ban/fail2ban-conf.ts";
import { renderBounceChecks } from "../postfix/bounces.ts";
import { QUEUE_WALK } from "../postfix/mail-queue.ts";
import { renderPostfixMain, renderPostfixTables, renderRelayLogin } from "../postfix/main-cf.ts";
import { renderChroot, renderPostfixMaster, renderSubmissionHeaders } from "../postfix/master-cf.ts";
import { renderHeaderChecks } from "../postfix/milters.ts";
import { renderPostgrey } from "../postgrey/postgrey.ts";
import { renderRspamd, rspamdVariables } from "../rspamd/rspamd-conf.ts";
import { renderLearnScripts } from "../spamassassin/learn-spam.ts";
import { renderSpamMilter } from "../spamassassin/spam-services.ts";
import { fetchedRules, PACKAGED_RULES, renderSpamAssassin } from "../spamassassin/spamassassin-conf.ts";
import { reloadDovecot, reloadPostfix } from "./reload-by-signal.ts";
import { type RenderedFile, rendered, type Site } from "./site.ts";

/** Postfix's programs read main.cf repeatedly if it was changed less than two seconds ago, because it may be incomplete. Ours never is. */
const POSTFIX_SETTLES_MS = 3 * SECOND_MS;

/** The configuration files of one component, which are checked together. */
export type Part = Readonly<{
  service: ServiceName;
  /** Directory of the files in force. */
  live: string;
  files: readonly RenderedFile[];
  /**
   * Complaints of the component's own checker about a copy in this directory; null if none. Files without a checker contain only values
   * that passed our parsers, or no service reads them.
   */
  check?: (directory: string, layout: Layout) => Promise<string | null>;
  /** The component's checker also reads files of the owner, which may change at any time. */
  readsOwnersFiles?: true;
  /** The files contain only values that passed our parsers, and a start reports a component that does not run anyway. */
  isUncheckedAtStart?: true;
}>;

/** Every rendered part, in the order in which they are reloaded and their refusals are reported. */
export function partsOf(site: Site): readonly Part[] {
  const { layout, spam, fail2ban } = site;
  const file = (service: ServiceName, path: string, text: string): Part => {
    return { service, live: dirname(path), files: [rendered(basename(path), text)] };
  };
  return [
    { ...file("unbound", layout.unboundConf, renderUnbound(site)), check: checkUnbound, readsOwnersFiles: true },
    { service: "postfix", live: layout.postfixEtc, files: renderChroot(site) },
    { service: "postfix", live: layout.postfixConf, files: postfixFiles(site), check: checkPostfix },
    {
      service: "dovecot",
      live: dirname(layout.dovecotConf),
      files: renderDovecot(site),
      check: checkDovecot,
      readsOwnersFiles: true,
    },
    { service: "dovecot", live: layout.sieve, files: [renderSieve(), ...renderLearnScripts()] },
    {
      service: "spamd",
      live: layout.spamAssassinConf,
      files: renderSpamAssassin(site),
      // Only the owner's rules can be wrong: the rest passed our parsers. They are checked as soon as the settings enable SpamAssassin.
      ...((spam.enabled || spam.runs) && spam.ownRules !== "" && { check: checkSpamAssassin }),
    },
    file("web", layout.webSettings, site.webSettings),
    file("export", layout.exportSettings, site.exportSettings),
    { service: "spamass-milter", live: layout.spamMilterConf, files: renderSpamMilter(site) },
    { service: "postgrey", live: layout.postgreyConf, files: [renderPostgrey(site)] },
    {
      service: "fail2ban",
      live: layout.fail2banConf,
      files: renderFail2ban(site),
      // Only a start enables Fail2ban, and checks it then.
      ...(fail2ban.enabled && { check: checkFail2ban }),
    },
    {
      service: "rspamd",
      live: layout.rspamdConf,
      files: renderRspamd(site),
      check: checkRspamd,
      isUncheckedAtStart: true,
    },
  ];
}

const CHECKS_IN_FORCE: Partial<Record<ServiceName, (layout: Layout) => Promise<string | null>>> = {
  unbound: ({ unboundConf }) => checkUnbound(dirname(unboundConf)),
  postfix: ({ postfixConf }) => checkAllOfPostfix(postfixConf),
  dovecot: ({ dovecotConf }) => checkDovecot(dirname(dovecotConf)),
  spamd: (layout) => checkSpamAssassin(layout.spamAssassinConf, layout),
  rspamd: (layout) => checkRspamd(layout.rspamdConf, layout),
  fail2ban: ({ fail2banConf }) => checkFail2ban(fail2banConf),
};

/** The installed checker's verdict on the configuration in force. Null if there is no complaint, so that the component can be restarted. */
export async function checkInForce(service: ServiceName, layout: Layout): Promise<string | null> {
  return (await CHECKS_IN_FORCE[service]?.(layout)) ?? null;
}

/** Lets a running service load its new configuration. Null, or why it did not. */
export function reloadService(service: ServiceName, layout: Layout): Promise<string | null> {
  if (service === "postfix") return reloadPostfix(layout);
  return service === "dovecot" ? reloadDovecot(layout) : restartService(service, layout);
}

function postfixFiles(site: Site): readonly RenderedFile[] {
  return [
    rendered("main.cf", renderPostfixMain(site)),
    rendered("master.cf", renderPostfixMaster(site)),
    ...renderPostfixTables(site),
    renderRelayLogin(site),
    renderSubmissionHeaders(),
    ...renderHeaderChecks(),
    ...renderBounceChecks(site),
  ];
}

/**
 * postconf reads main.cf and master.cf. It exits with 0 after some errors, so any complaint counts. postsuper uses the parameters, and
 * moves misplaced queue files to where they belong.
 */
async function checkPostfix(directory: string): Promise<string | null> {
  // The file keeps this time when it moves into place, so that the start and a reload of Postfix need not wait either.
  setModified(join(directory, "main.cf"), new Date(Date.now() - POSTFIX_SETTLES_MS));
  const parameters = await runProgram("postconf", ["-c", directory, "-n"]);
  if (parameters.code !== 0 || parameters.stderr !== "")
    return `Postfix refuses its configuration: ${lastLines({ ...parameters, stdout: "" })}`;
  const queue = await runProgram("postsuper", ["-c", directory], QUEUE_WALK);
  return complaint("Postfix refuses its configuration or its queue", queue);
}

/** Also checks whether Postfix's files have the owners and modes that this version wants, which starts fifty programs. */
async function checkAllOfPostfix(directory: string): Promise<string | null> {
  const refused = await checkPostfix(directory);
  if (refused !== null) return refused;
  return complaint("Postfix fails its own check", await runProgram("postfix", ["-c", directory, "check"], QUEUE_WALK));
}

async function checkDovecot(directory: string): Promise<string | null> {
  const check = await runProgram("doveconf", ["-c", join(directory, "dovecot.conf"), "-n", "-x"]);
  const isNewer = check.stderr.includes("first setting must be dovecot_config_version");
  const why = isNewer ? ", because it is version 2.4 of Debian 13, not 2.3 of Debian 12" : "";
  return complaint(`Dovecot refuses its configuration${why}`, { ...check, stdout: "" });
}

/**
 * Runs as spamd's user, without reading any user's preferences. Includes the rules that spamd uses. If fetched rules are faulty, no setting
 * can fix them, so the packaged rules are checked instead.
 */
async function checkSpamAssassin(directory: string, layout: Layout): Promise<string | null> {
  const user = CONTENT_USERS.spamd;
  const unprivileged = ["--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs"];
  const lint = ["spamassassin", "--lint", "--local", `--siteconfigpath=${directory}`, "--prefspath=/dev/null"];
  const check = (rules: string) =>
    runAsOther([...unprivileged, ...lint, `--configpath=${rules}`], { env: { HOME: layout.spamState } });
  const fetched = fetchedRules(layout);
  if (existsSync(fetched) && (await check(fetched)).code === 0) return null;
  return complaint("SpamAssassin refuses its configuration (settings spam.*)", await check(PACKAGED_RULES));
}

/** Runs as an unprivileged user, because the checker would otherwise write into the packaged rspamd's directory. */
async function checkRspamd(directory: string, layout: Layout): Promise<string | null> {
  const unprivileged = ["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--no-new-privs"];
  const configtest = [...rspamdVariables(layout, directory), "configtest", "-c", join(directory, "rspamd.conf")];
  const check = await runAsOther([...unprivileged, "rspamadm", ...configtest]);
  return complaint("Rspamd refuses its configuration", check);
}

/** Only the files of dns.root_hints and dns.trust_anchor can be wrong: the rest passed our parsers. */
async function checkUnbound(directory: string): Promise<string | null> {
  const check = await runProgram("unbound-checkconf", [join(directory, "unbound.conf")]);
  return complaint("Unbound refuses its configuration (settings dns.*)", check);
}

async function checkFail2ban(directory: string): Promise<string | null> {
  const check = await runProgram("fail2ban-client", ["-c", directory, "--test"]);
  return complaint("Fail2ban refuses its configuration", check);
}

/** `says` starts with the program's name. */
export function complaint(says: string, ran: Finished): string | null {
  if (ran.code === 0) return null;
  const what = ran.code === TIMED_OUT ? `${says.split(" ")[0]} did not finish its check in time` : says;
  return `${what}: ${lastLines(ran)}`;
}
