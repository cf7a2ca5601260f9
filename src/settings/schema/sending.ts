import { count, type Setting } from "../setting.ts";

/** What an account may send before its mail waits or is held. */
export const sending = {
  "limits.sending.recipients_per_minute": {
    kind: count,
    byDefault: 50,
    says: "New recipients of other domains, to which an account has never written, within any 60 seconds.",
  },
  "limits.sending.recipients_per_hour": {
    kind: count,
    byDefault: 150,
    says: "Recipients of one account's mail within any hour.",
  },
  "limits.sending.recipients_per_day": {
    kind: count,
    byDefault: 500,
    says: "Recipients of one account's mail within any 24 hours.",
  },
  "limits.sending.strangers": {
    kind: count,
    byDefault: 100,
    says: "New recipients of other domains, to which an account has never written, within any hour; past it all its mail is held in the queue and you are asked. A fifth of it from a place where the account first signed in less than a day ago.",
  },
  "limits.sending.strangers_per_day": {
    kind: count,
    byDefault: 150,
    says: "The same within any 24 hours, so that a few strangers every hour add up.",
  },
  "limits.sending.refused": {
    kind: count,
    byDefault: 10,
    says: "Such recipients whose servers refuse the mail for good, within any hour, before all mail of the account is held: lists of addresses that thieves use are old. Only if they are a quarter or more of those to whom the account wrote within the hour. Of one domain two count.",
  },
} as const satisfies Record<string, Setting<unknown>>;
