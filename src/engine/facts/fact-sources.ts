import type { Policy } from "../../core/decide/policy.ts";
import type { AccountNetworks } from "../admin-ports.ts";
import type { OwnNetworks } from "../network-ports.ts";
import type { AccountDirectory, FirstContacts, ForwardReach, RecipientDirectory } from "../ports.ts";
import type { AccountHistory, HonestMail, JailMemory, SendingHistory } from "../storage-ports.ts";
import type { AccountCache } from "./account-cache.ts";
import type { AddressCache } from "./address-cache.ts";
import type { NamedRecipients } from "./named-recipients.ts";
import type { NeighbourParts } from "./neighbours.ts";
import type { SentMails } from "./sending.ts";
import type { ServerWindows } from "./server-windows.ts";
import type { SmtpSessions } from "./smtp-sessions.ts";
import type { SparingMemory } from "./sparing.ts";

/** What the databases know, apart from the windows of addresses. */
export type FactParts = NeighbourParts &
  Readonly<{
    recipients: RecipientDirectory;
    firstContacts: FirstContacts;
    networks: Pick<AccountNetworks, "networksOf">;
    jails: JailMemory;
    own: OwnNetworks;
    /** The accounts that may sign in now. */
    active: AccountDirectory;
    /** Where accounts signed in, and passwords that strangers tried. */
    accounts: AccountHistory;
    forwards: ForwardReach;
    /** What accounts sent, and whether it is held. */
    sending: SendingHistory;
    honest: Pick<HonestMail, "server" | "servers">;
  }>;

/** Where facts are looked up: databases and memory. */
export type FactSources = Readonly<{
  policy: Policy;
  parts: FactParts;
  addresses: AddressCache;
  accounts: AccountCache;
  sessions: SmtpSessions;
  named: NamedRecipients;
  sent: SentMails;
  sparing: SparingMemory;
  server: ServerWindows;
}>;
