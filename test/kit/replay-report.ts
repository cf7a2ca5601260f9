import type { ReplayReport } from "../../src/jobs/replay/run-replay.ts";

/** The report of a replay that compared nothing. */
export function emptyReport(): ReplayReport {
  const none = { total: 0, items: [] };
  const verdicts = { pass: 0, delay: 0, hold: 0, defer: 0, refuse: 0 };
  return {
    identical: true,
    from: null,
    to: null,
    events: 0,
    differences: 0,
    unreached: 0,
    banned: none,
    notBanned: none,
    bannedOtherwise: none,
    spared: none,
    notSpared: none,
    changed: { connections: verdicts, mails: verdicts, sign_ins: verdicts },
    accounts: none,
    mostAffected: [],
    examples: [],
    reach: { firstEvent: null, summedUpTo: null, unreadable: 0, cut: false, windowsFilled: true, settingsApplied: 0 },
  };
}
