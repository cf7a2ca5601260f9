import { check, type Example } from "../../../test/kit/mail-examples.ts";
import { BAN, NOON, POLICY, times } from "../../../test/kit/samples.ts";
import { decideConnect } from "./decide.ts";

const STAFF = ["a@x.test", "b@x.test", "c@x.test"];
const SHARED = { known: true, knownAccounts: STAFF };
const OF_GOOGLE = { clientName: "mail-lf1-f41.google.com" };
const KNOWN = "defer known_address";
const BANNED = "refuse connection_limit, banned";
const PASSES = "pass known_address";
const TWO = { known: true, knownAccounts: STAFF.slice(1) };
const MANY = { connections: times(500) };
const ALLOWED = { protection: "allow_listed", ban: BAN } as const;
const SENDS = { service: "submission" } as const;

const examples: readonly Example[] = [
  ["the 101st in an hour, however slow", BANNED, { connections: times(100, 30_000) }],
  ["past three times the limit, one from where two accounts signed in", BANNED, { ...TWO, connections: times(60) }],
  ["one from an address that three accounts know, however often", KNOWN, { ...SHARED, ...MANY }],
  ["one of them who sends, while a machine beside them floods port 25", PASSES, { ...SHARED, ...MANY }, SENDS],
  ["one from an address that three accounts knew long ago", BANNED, { knownAccounts: STAFF, connections: times(60) }],
  ["one that is banned", "refuse banned, uncounted", { ban: BAN }],
  ["an allow-listed one far over the limit, and banned", "pass allow_listed, uncounted", { ...ALLOWED, ...MANY }],
  ["a server whose mail is wanted, over the limit", "defer wanted_busy", { isWanted: true, connections: times(59) }],
  ["the same past three times the limit", BANNED, { isWanted: true, connections: times(60) }],
  ["the same after an offence", BANNED, { isWanted: true, offences: 1, connections: times(20) }],
  ["a large provider that is banned for another reason", "refuse banned, uncounted", { ban: BAN }, OF_GOOGLE],
  ["an address from which an account signed in, over the limit", KNOWN, { known: true, connections: times(20) }],
  ["the same at three times the limit", KNOWN, { known: true, connections: times(59) }],
  ["an owner there who sends, while a machine floods port 25", PASSES, { known: true, connections: times(59) }, SENDS],
  ["the same past three times the limit", BANNED, { known: true, connections: times(60) }],
];

check("connection", examples, (facts, { ip, service, session, clientName }) =>
  decideConnect(POLICY, facts, { type: "CONNECT", ip, service, session, clientName }, NOON),
);
