import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";

/** Settings in which most tests differ from the defaults. */
export const FOR_TESTS: Readonly<Record<string, string>> = {
  // Only tests with servers for block lists name any.
  GHOSTINBOX_DNSBL__ZONES: "[]",
  // The content filters have separate tests; elsewhere they would only cost time.
  GHOSTINBOX_SPAM__ENABLED: "false",
  GHOSTINBOX_SPAM__RULES: join(CHECKOUT, "test", "lab", "spam.cf"),
  // Fail2ban would ban after fewer failures than tests of the engine's own limits need.
  GHOSTINBOX_FAIL2BAN__ENABLED: "false",
  // The hosts of the lab are neighbours. Bans of whole networks have separate tests.
  GHOSTINBOX_BANS__NEIGHBOURS: "1000",
  GHOSTINBOX_LIMITS__NETWORKS__FAILURES: "1000",
  // Otherwise every first contact of every test would be deferred.
  GHOSTINBOX_GREYLIST__ENABLED: "false",
};

/** For tests whose clients and accounts send, or connect, again and again. */
export const UNLIMITED: Readonly<Record<string, string>> = {
  GHOSTINBOX_LIMITS__MAIL__PER_MINUTE: "10000",
  GHOSTINBOX_LIMITS__MAIL__PER_HOUR: "10000",
  GHOSTINBOX_LIMITS__MAIL__PER_DAY: "10000",
  GHOSTINBOX_LIMITS__MAIL__POSTFIX_PER_MINUTE: "10000",
  GHOSTINBOX_LIMITS__CONNECTIONS__PER_MINUTE: "10000",
  GHOSTINBOX_LIMITS__CONNECTIONS__PER_HOUR: "10000",
  GHOSTINBOX_LIMITS__CONNECTIONS__CONCURRENT: "50",
};

/** Undoes all of FOR_TESTS. */
export const AS_SHIPPED: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.keys(FOR_TESTS).map((name) => [name, undefined]),
);
