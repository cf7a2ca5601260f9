import type { Neighbourhood, RecipientKind } from "../../core/decide/facts.ts";
import type { Policy } from "../../core/decide/policy.ts";
import { readOr } from "../../core/error.ts";
import type { Recipient } from "../../core/events/mail.ts";
import { localPart, withoutExtension } from "../../core/net/address.ts";
import type { Prefix } from "../../core/net/ip.ts";
import type { Millis } from "../../core/time.ts";
import type { AccountNetworks } from "../admin-ports.ts";
import type { ForwardReach } from "../mailbox-ports.ts";
import type { OwnNetworks } from "../network-ports.ts";
import type { AccountDirectory, FirstContacts, RecipientDirectory } from "../ports.ts";
import type {
  AccountHistory,
  History,
  HonestMail,
  JailMemory,
  NetworkHistory,
  SendingHistory,
} from "../storage-ports.ts";
import type { AddressCache } from "./address-cache.ts";
import type { LoginFacts } from "./login-facts.ts";
import type { SentMails } from "./sending.ts";
import type { NamedRecipients, SmtpSessions } from "./smtp-sessions.ts";
import type { SparingMemory } from "./sparing.ts";
import type { WholeServerWindows } from "./whole-server-windows.ts";

/** Where facts are looked up that are not in memory: the databases, and the machine's own addresses. */
export type FactPorts = Readonly<{
  history: Pick<History, "address">;
  neighbours: NetworkHistory;
  recipients: RecipientDirectory;
  firstContacts: FirstContacts;
  networks: Pick<AccountNetworks, "networksOf">;
  jails: JailMemory;
  own: OwnNetworks;
  /** The accounts that may sign in now. */
  active: AccountDirectory;
  /** Where accounts signed in, and passwords that strangers tried. */
  accounts: AccountHistory;
  forwardReach: ForwardReach;
  /** What accounts sent, and whether it is held. */
  sending: SendingHistory;
  honest: Pick<HonestMail, "server" | "servers">;
}>;

export type FactSources = Readonly<{
  policy: Policy;
  ports: FactPorts;
  addresses: AddressCache;
  logins: LoginFacts;
  sessions: SmtpSessions;
  named: NamedRecipients;
  sent: SentMails;
  sparing: SparingMemory;
  wholeServer: WholeServerWindows;
}>;

/** Maximum servers of one network that are read. Honest mail from further servers does not spare the network. */
const MOST_SERVERS = 1_024;

/** What the addresses of a network did together, for the rules in core/decide/neighbours.ts. */
export function neighboursIn(parts: FactPorts, network: Prefix, now: Millis): Neighbourhood {
  const { history, neighbours, honest, accounts } = parts;
  // Nothing is counted for a whole network: only its ban and its offences are read.
  const nothing = { sinceConnections: now, sinceMails: now, sinceFailures: now, sinceProbes: now };
  const { ban, offencesAt } = history.address(network, { ...nothing, most: 1, mostFailures: 1 });
  return {
    ban,
    offencesAt,
    settledAt: neighbours.settledAt(network, now),
    offenders: (since, besides) => neighbours.offenders(network, since, besides),
    guesses: (since, besides) => neighbours.guessesFrom(network, { since, until: now }, besides),
    banned: (since) => neighbours.banned(network, since),
    servers: (since) => honest.servers(network, since, MOST_SERVERS),
    hasSignIns: (since) => accounts.isKnownWithin(network, since),
  };
}

/** What kind of recipient this is. One in another domain counts as existing: whether to relay is Postfix's decision. */
export function recipientKind(policy: Policy, directory: RecipientDirectory, { recipient }: Recipient): RecipientKind {
  if (recipient === null) return "exists";
  const at = recipient.lastIndexOf("@");
  const local = recipient.slice(0, at).toLowerCase();
  const domain = recipient.slice(at + 1).toLowerCase();
  // Postfix reads the local part before an address of this machine as an address: `bob%example.org@[127.0.0.1]` reaches bob@example.org.
  if (domain.startsWith("[") && local !== "postmaster") return "unknown";
  if (at < 1 || !policy.domains.includes(domain)) return "exists";
  // A failed lookup is not the client's fault. Postfix asks the same database and defers.
  if (readOr(() => directory.exists(recipient), true)) return "exists";
  const names = [local, localPart(withoutExtension(recipient.toLowerCase()))];
  return names.some((name) => policy.blockedRecipients.includes(name)) ? "blocked" : "unknown";
}
