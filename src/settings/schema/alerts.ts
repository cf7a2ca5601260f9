import { ALERT_LANGUAGES } from "../../core/alerts/frames.ts";
import { DAY_MS, SECOND_MS } from "../../core/time.ts";
import { decimal, duration, oneOf, wholeNumber } from "../kinds/kind.ts";
import { loginName, mailAddress, nextHop, oneLine, path, quietHours, timeZone, url } from "../kinds/texts.ts";
import { byDefault, count, optional, optionalList, type Setting } from "../setting.ts";

/** The messages to the owner, and their channels. */
export const alerts = {
  "alerts.contacts": optionalList(oneLine, 20).says(
    "Contacts that every alert names, for example people and phone numbers.",
  ),
  "alerts.email": optionalList(mailAddress, 20).says(
    "Addresses that get alerts by mail, through this server's own queue. While no channel for alerts is set at all, `postmaster@` at the first domain gets them: the administrator, or the first account that can sign in.",
  ),
  "alerts.from": optional(mailAddress).says("Sender of alerts by mail; empty means `postmaster@` at the first domain."),
  "alerts.relay_to": optionalList(mailAddress, 20).says(
    "Addresses that get alerts by mail through `alerts.relay`. These arrive even when our own Postfix is down.",
  ),
  "alerts.relay": optional(nextHop).says(
    "Outside server for `alerts.relay_to`, with its port. Only verified TLS is used: from the start on port 465, by STARTTLS on others.",
    { source: "RFC 8314" },
  ),
  "alerts.relay_user": optional(loginName).says("User name at `alerts.relay`."),
  "alerts.relay_password_file": optional(path).says(
    "File whose first line is the password for `alerts.relay`. The user ghostinbox must be able to read it.",
  ),
  "alerts.webhook": optionalList(url, 10).says("URLs to which alerts are posted as JSON.", {
    source: "Standard Webhooks 1.0",
    secret: true,
  }),
  "alerts.webhook_secret_file": optional(path).says(
    "File whose first line is the key that signs webhooks, `whsec_…`. The user ghostinbox must be able to read it. Empty: not signed.",
    { source: "Standard Webhooks 1.0" },
  ),
  "alerts.ntfy": optionalList(url, 10).says("Topics of ntfy, such as https://ntfy.sh/TOPIC.", {
    source: "docs.ntfy.sh, publish as JSON",
    secret: true,
  }),
  "alerts.ntfy_token_file": optional(path).says(
    "File whose first line is the access token for ntfy. The user ghostinbox must be able to read it.",
  ),
  "alerts.gotify": optional(url).says("URL of a Gotify server.", { source: "gotify.net, push messages", secret: true }),
  "alerts.gotify_token_file": optional(path).says(
    "File whose first line is the application's token at Gotify. The user ghostinbox must be able to read it.",
  ),
  "alerts.apprise": optionalList(url, 10).says("URLs of an Apprise API, such as http://apprise:8000/notify/KEY.", {
    secret: true,
  }),
  "alerts.ca": optional(path).says(
    "File of certificate authorities (PEM) that may sign the certificates of alert receivers, in addition to the public ones.",
  ),
  "alerts.language": byDefault("en", oneOf(...ALERT_LANGUAGES)).says(
    "Language of alerts: `en` or `de`. Details are in English.",
  ),
  "alerts.quiet_hours": byDefault("", quietHours).says(
    'Hours such as "22:00-07:00" in which only critical alerts are sent. The others follow at their end, in one message.',
  ),
  "alerts.time_zone": optional(timeZone).says("Time zone of the quiet hours; empty means the machine's own."),
  "alerts.digest": byDefault("24h", duration(0, 7 * DAY_MS)).says(
    "How long alerts of severity info are collected and then sent as one; `0s` sends each at once.",
  ),
  "alerts.resolve_after": byDefault("5m", duration(SECOND_MS, DAY_MS)).says(
    "How long a condition must be gone before its end is reported. If it returns sooner, it is the same alert.",
  ),
  "alerts.heartbeat": optional(url).says(
    "URL that is requested while all is well. The service behind it raises the alarm when the requests stop.",
    { secret: true },
  ),
  "alerts.heartbeat_every": byDefault("5m", duration(SECOND_MS, DAY_MS)).says("How often the heartbeat is sent."),
  "alerts.thresholds.failed_logins": byDefault(25, count).says(
    "Failed sign-ins within 10 minutes that cause an alert.",
  ),
  "alerts.thresholds.dashboard_logins": byDefault(5, count).says(
    "Failed sign-ins to the dashboard within 10 minutes that cause an alert.",
  ),
  "alerts.thresholds.password_guessed": byDefault(4, wholeNumber(2, 1_000)).says(
    "Different wrong passwords for an account within an hour after which a right one from a new address causes an alert, if one of them came from there. Five times as many wrong ones from anywhere, or from a known address itself, cause it too.",
  ),
  "alerts.thresholds.networks": byDefault(200, count).says(
    "Number of different addresses (IPv6 networks) connecting within 10 minutes that causes an alert.",
  ),
  "alerts.thresholds.spam": byDefault(100, count).says("Spam mails within an hour that cause an alert."),
  "alerts.thresholds.bans": byDefault(10, count).says(
    "Number of addresses and networks banned within an hour that causes an alert.",
  ),
  "alerts.thresholds.bans_in_force": byDefault(20, wholeNumber(0, 1_000_000)).says(
    "Addresses and networks banned at the same time, apart from manual bans, above which an alert is sent.",
  ),
  "alerts.thresholds.disk": byDefault(20, wholeNumber(0, 100)).says(
    "Percentage of free disk space at which an alert is sent; a second is sent at half of it. 0 sends none.",
  ),
  "alerts.thresholds.repeated": byDefault(3, count).says(
    "Number of addresses and networks banned again within 24 hours that causes an alert.",
  ),
  "alerts.thresholds.volume": byDefault(1000, count).says(
    "Events within 10 minutes that cause an alert, if they are also `alerts.thresholds.volume_factor` times the average.",
  ),
  "alerts.thresholds.volume_factor": byDefault(5, decimal(1, 1_000)).says(
    "How many times the average of the last 24 hours counts as unusual.",
  ),
} as const satisfies Record<string, Setting<unknown>>;
