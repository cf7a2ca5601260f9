import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import {
  decimal,
  duration,
  listOf,
  loginName,
  mailAddress,
  nextHop,
  oneLine,
  orEmpty,
  path,
  quietHours,
  timeZone,
  url,
  wholeNumber,
} from "../kinds.ts";
import { count, type Setting } from "../setting.ts";

/** What the owner is told, and by which ways. */
export const alerts = {
  "alerts.contacts": {
    kind: listOf(oneLine, 20),
    byDefault: [],
    says: "Whom to call when something is wrong, said in every alert: names, numbers, whatever helps.",
  },
  "alerts.email": {
    kind: listOf(mailAddress, 20),
    byDefault: [],
    says: "Who gets alerts by mail, through this server's own queue.",
  },
  "alerts.from": {
    kind: orEmpty(mailAddress),
    byDefault: "",
    says: "Sender of alerts by mail; empty stands for `postmaster@` the first domain.",
  },
  "alerts.relay_to": {
    kind: listOf(mailAddress, 20),
    byDefault: [],
    says: "Who gets alerts by mail through `alerts.relay`, past our own Postfix: they arrive when it is broken.",
  },
  "alerts.relay": {
    kind: orEmpty(nextHop),
    byDefault: "",
    says: "Outside server for `alerts.relay_to`, with its port; only over verified TLS (465 from the start, else STARTTLS).",
    source: "RFC 8314",
  },
  "alerts.relay_user": {
    kind: orEmpty(loginName),
    byDefault: "",
    says: "Name to sign in with at `alerts.relay`.",
  },
  "alerts.relay_password_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the password for `alerts.relay`; the user ghostinbox must be able to read it.",
  },
  "alerts.webhook": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Addresses to which alerts are posted as JSON.",
    source: "Standard Webhooks 1.0",
    secret: true,
  },
  "alerts.webhook_secret_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line signs what is posted, `whsec_…`; readable by ghostinbox. Empty: it is not signed.",
    source: "Standard Webhooks 1.0",
  },
  "alerts.ntfy": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Topics of ntfy, such as https://ntfy.sh/TOPIC.",
    source: "docs.ntfy.sh, publish as JSON",
    secret: true,
  },
  "alerts.ntfy_token_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the access token for them; readable by ghostinbox.",
  },
  "alerts.gotify": {
    kind: orEmpty(url),
    byDefault: "",
    says: "Address of a Gotify server.",
    source: "gotify.net, push messages",
    secret: true,
  },
  "alerts.gotify_token_file": {
    kind: orEmpty(path),
    byDefault: "",
    says: "File whose first line is the token of the application there; readable by ghostinbox.",
  },
  "alerts.apprise": {
    kind: listOf(url, 10),
    byDefault: [],
    says: "Addresses of an Apprise API, such as http://apprise:8000/notify/KEY.",
    secret: true,
  },
  "alerts.ca": {
    kind: orEmpty(path),
    byDefault: "",
    says: "Certificate authorities in PEM that may vouch for receivers of alerts, besides those that all the world trusts.",
  },
  "alerts.quiet_hours": {
    kind: quietHours,
    byDefault: "",
    says: 'Hours such as "22:00-07:00" in which only critical alerts are told; the others follow at their end, as one.',
  },
  "alerts.time_zone": {
    kind: orEmpty(timeZone),
    byDefault: "",
    says: "Time zone of the quiet hours; empty stands for the machine's own.",
  },
  "alerts.digest": {
    kind: duration(0, 7 * DAY_MS),
    byDefault: "24h",
    says: "How long alerts that are only to know are gathered and then told as one; `0s` tells each at once.",
  },
  "alerts.resolve_after": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How long a condition must be gone before it is told to be over; what comes back sooner is the same alert.",
  },
  "alerts.heartbeat": {
    kind: orEmpty(url),
    byDefault: "",
    says: "Address that is asked while all is well; the watcher behind it raises the alarm when that stops.",
    secret: true,
  },
  "alerts.heartbeat_every": {
    kind: duration(SECOND_MS, DAY_MS),
    byDefault: "5m",
    says: "How often.",
  },
  "alerts.thresholds.failed_logins": {
    kind: count,
    byDefault: 25,
    says: "Failed sign-ins within 10 minutes that raise an alert.",
  },
  "alerts.thresholds.dashboard_logins": {
    kind: count,
    byDefault: 5,
    says: "Failed sign-ins to the dashboard within 10 minutes that raise one.",
  },
  "alerts.thresholds.password_guessed": {
    kind: wholeNumber(2, 1_000),
    byDefault: 4,
    says: "Different wrong passwords within an hour after which a right one, from where a wrong one came too, raises one.",
  },
  "alerts.thresholds.networks": {
    kind: count,
    byDefault: 200,
    says: "Different networks that connect within 10 minutes that raise one.",
  },
  "alerts.thresholds.spam": {
    kind: count,
    byDefault: 100,
    says: "Mails of spam within an hour that raise one.",
  },
  "alerts.thresholds.bans": {
    kind: count,
    byDefault: 10,
    says: "Networks banned within an hour that raise one.",
  },
  "alerts.thresholds.repeated": {
    kind: count,
    byDefault: 3,
    says: "Networks banned again, not for the first time, within 24 hours that raise one.",
  },
  "alerts.thresholds.volume": {
    kind: count,
    byDefault: 1000,
    says: "Events within 10 minutes that raise one, if they are `alerts.thresholds.volume_factor` times the usual too.",
  },
  "alerts.thresholds.volume_factor": {
    kind: decimal(1, 1_000),
    byDefault: 5,
    says: "How many times the average of the last 24 hours is no longer usual.",
  },
} as const satisfies Record<string, Setting<unknown>>;
