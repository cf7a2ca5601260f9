import { type SettingKey, type Settings, settingKeys } from "./schema.ts";

type Profile = Settings["profile"];
type Instead = Readonly<{
  value: unknown;
  /** What this costs, in one sentence. */
  givesUp: string;
}>;

/** Defaults that replace those of the schema. The file and the environment win over them. */
const PROFILES: Readonly<Record<Profile, Readonly<Partial<Record<SettingKey, Instead>>>>> = {
  standard: {},
  small: {
    "fail2ban.enabled": {
      value: false,
      givesUp:
        "Fail2ban is off: offences that only the logs show, such as relaying and bad names, are still refused, but cause no ban.",
    },
    "spam.processes": {
      value: 1,
      givesUp:
        "One mail is scored at a time, and none while SpamAssassin learns from a mail that a user moved: at peak times, some mail is not scored in time.",
    },
    "outbound.at_once": { value: 4, givesUp: "Four mails are put into mailboxes at once; others wait in the queue." },
    "limits.connections.smtp_places": {
      value: 20,
      givesUp: "Each SMTP port serves 20 connections at once; further ones wait.",
    },
    "limits.connections.imap_places": { value: 100, givesUp: "100 connections to IMAP are served at once." },
    "dns.cache": { value: "4MB", givesUp: "The resolver keeps fewer answers, and asks more often." },
  },
};

/** The profile's value of a setting; undefined if the schema's default applies. */
export function profileDefault(profile: Profile, key: SettingKey): unknown {
  return PROFILES[profile][key]?.value;
}

/** What the profile in force costs, except for settings that the owner has set. */
export function givenUp(
  profile: Profile,
  sources: Readonly<Record<SettingKey, Readonly<{ from: string }>>>,
): readonly string[] {
  const kept = settingKeys().filter((key) => sources[key].from === "profile");
  return kept.flatMap((key) => PROFILES[profile][key]?.givesUp ?? []);
}
