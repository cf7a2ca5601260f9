import { messageOf } from "../../core/error.ts";
import { SECOND_MS } from "../../core/time.ts";
import { watchingForwards } from "../../guard/enforce/counted-forwards.ts";
import type { SubmissionSessions } from "../../guard/enforce/submission-sessions.ts";
import type { Greylisting } from "../../guard/facts/greylisting.ts";
import type { SmtpProgress } from "../../guard/facts/smtp-sessions.ts";
import { createBlockLists, type ListSettings } from "../../guard/lookups/block-lists.ts";
import { createSenderProofs } from "../../guard/lookups/sender-proof.ts";
import { submitAfterLookups } from "../../guard/lookups/submit-after-lookups.ts";
import type { Names } from "../../guard/network-ports.ts";
import { runsAs } from "../../host/kernel/tcp-sockets.ts";
import { userIds } from "../../host/machine/system-users.ts";
import type { Report } from "../../host/sockets/unix-socket.ts";
import { createUnreadWatch, detectorLogs, detectorsOf } from "../../mail/detectors/detector-logs.ts";
import { ResolverNames } from "../../mail/dns/resolver.ts";
import { DnsSenderDomains } from "../../mail/dns/sender-domains.ts";
import { createLoginPolicyServer } from "../../mail/dovecot/login-policy-server.ts";
import { createReportTaker, type ReportTakerParts } from "../../mail/fail2ban/report-taker.ts";
import { createLogFollowers, observedLogs, observing } from "../../mail/logs/followed-logs.ts";
import { FilterLoad } from "../../mail/postfix/filter-load.ts";
import { createMilterServer } from "../../mail/postfix/milter-server.ts";
import { createPolicyServer, POLICY_LIMITS, type PolicyOptions } from "../../mail/postfix/policy-server.ts";
import { serviceLog, USERS } from "../../settings/layout.ts";
import { proxiedPorts } from "../../settings/ports.ts";
import type { Settings } from "../../settings/schema.ts";
import type { GuardParts } from "./compose-stores.ts";
import { takeOver } from "./stand-in.ts";

/** How often to check whether a block list needs its test, and whether detectors' logs can be read. */
const LOOK_MS = 500;

type SourceParts = GuardParts &
  Pick<ReportTakerParts, "aheadMs" | "banned"> &
  Pick<PolicyOptions, "guardsProxied" | "hasRoom"> &
  Readonly<{
    loginSecret: string;
    greylisting: Greylisting;
    names: Names;
    report: Report;
    submissionSessions: SubmissionSessions;
    progress: SmtpProgress;
  }>;

const SPF_TRIES = 2;

/** Everything that produces events: the questions of Postfix and Dovecot, Fail2ban's reports, the logs. */
export function composeSources(parts: SourceParts) {
  const { layout, settings, loginSecret, engine, stores, greylisting, names, notices, clock, log, report } = parts;
  const blockLists = createBlockLists({ names, clock, notices }, listsOf(settings));
  const senderDomains = new DnsSenderDomains(settings["dns.address"], clock);
  const spfLookup = new ResolverNames(settings["dns.address"], SPF_TRIES);
  const proofs = createSenderProofs(greylisting, spfLookup);
  const submit = submitAfterLookups(engine, blockLists, senderDomains, proofs);
  const forwardWatch = { countedForwards: stores.countedForwards, sending: stores.sending, engine, clock, log };
  const filterLoad = new FilterLoad(clock);
  const policyServer = createPolicyServer(filterLoad.limiting(watchingForwards(submit, forwardWatch)), report, {
    ...POLICY_LIMITS,
    hasRoom: parts.hasRoom,
    guardsProxied: parts.guardsProxied,
    sessions: parts.submissionSessions,
    isDovecot: runsAs(userIds(USERS.mail).uid, settings["ports.sieve_mail"]),
    decided: (event, verdict) => parts.progress.update(event, verdict, clock.now()),
  });
  const milterServer = createMilterServer(
    filterLoad.limiting((event, answer) => engine.submit(event, answer)),
    report,
    (sender) => filterLoad.isSuspect(sender),
  );
  const loginServer = createLoginPolicyServer({
    submit: (event, answer) => {
      engine.submit(event, answer);
      if (event.type === "LOGIN_SUCCEEDED" && event.appPassword !== undefined)
        stores.appPasswords.used(event.login, event.appPassword, clock.now());
    },
    report,
    secret: loginSecret,
    guardsProxied: parts.guardsProxied,
  });
  const observed = [
    ...observedLogs(layout, settings, engine.startedAt, clock).map((one) => ({
      ...one,
      read: (line: string) => {
        filterLoad.readActive(line);
        return filterLoad.observe(one.read(line));
      },
    })),
    {
      name: "rspamd",
      file: serviceLog(layout, "rspamd"),
      shared: false,
      read: (line: string) => filterLoad.readRspamd(line),
    },
  ];
  const detectors = detectorLogs(detectorsOf(settings), { engine, clock, log });
  const logs = createLogFollowers(observing(engine, observed), { positions: stores.store, log });
  const detected = createLogFollowers(detectors, { positions: stores.store, log });
  const unread = createUnreadWatch(detected.failing, clock, notices);
  const { banned, aheadMs } = parts;
  const hasProxies = proxiedPorts(settings) !== null;
  const forgeable = hasProxies ? { jail: "dovecot", isNow: () => !parts.guardsProxied() } : null;
  const directory = layout.fail2banSpool;
  const reports = createReportTaker({ directory, engine, clock, aheadMs, log, forgeable, banned });
  const look = (): void => {
    void blockLists.probeDue();
    unread.look();
  };
  let looking: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  /** Another user's program may have the port: only sign-ins wait for its end, not mail. */
  const listenForSignIns = async (): Promise<void> => {
    try {
      await loginServer.start(settings["ports.login_policy"]);
      notices.set("sign_ins_blocked", null);
    } catch (error) {
      notices.set("sign_ins_blocked", messageOf(error));
      retry = setTimeout(() => void listenForSignIns(), SECOND_MS);
    }
  };
  return {
    /** Starts the servers first, so that no client waits for an answer while the firewall is filled. */
    async listen(): Promise<void> {
      await milterServer.start(layout.guardMilterSocket);
      await listenForSignIns();
      await takeOver(layout.standIn, () => policyServer.start(layout.policySocket));
    },
    followLogs(): void {
      logs.start();
      detected.start();
      reports.start();
      look();
      looking = setInterval(look, LOOK_MS);
    },
    use(now: Settings, changed: readonly string[]): void {
      senderDomains.use(now["dns.address"]);
      spfLookup.use(now["dns.address"]);
      if (changed.some((key) => key.startsWith("dnsbl."))) blockLists.configure(listsOf(now));
    },
    /** Reads the existing lines to the end; later ones are not read. */
    async unfollowLogs(): Promise<void> {
      await Promise.all([logs.stop(), detected.stop()]);
      await reports.stop();
      spfLookup.cancel();
      clearInterval(looking);
    },
    async close(): Promise<void> {
      clearTimeout(retry);
      await Promise.all([policyServer.stop(), milterServer.stop(), loginServer.stop()]);
    },
  };
}

function listsOf(now: Settings): ListSettings {
  return { zones: now["dnsbl.zones"], checkEveryMs: now["dnsbl.check_every"] };
}
