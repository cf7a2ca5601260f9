import { join } from "node:path";
import { CHECKOUT } from "./checkout.ts";

/** What most tests have otherwise than it is shipped. */
export const FOR_TESTS: Readonly<Record<string, string>> = {
  // Only those tests that play the lists' servers name any.
  GHOSTINBOX_DNSBL__ZONES: "[]",
  // The content filters have separate tests; elsewhere they would only cost time.
  GHOSTINBOX_SPAM__ENABLED: "false",
  GHOSTINBOX_SPAM__RULES: join(CHECKOUT, "test", "lab", "spam.cf"),
  // It would ban after fewer failures than the tests of the engine's own limits make.
  GHOSTINBOX_FAIL2BAN__ENABLED: "false",
  // The hosts of the lab are neighbours: bans of whole networks have separate tests.
  GHOSTINBOX_BANS__NEIGHBOURS: "1000",
  GHOSTINBOX_LIMITS__NETWORKS__FAILURES: "1000",
  // Else every first contact of every test would be asked to come again.
  GHOSTINBOX_GREYLIST__ENABLED: "false",
};

/** Takes all of that back. */
export const AS_SHIPPED: Readonly<Record<string, undefined>> = Object.fromEntries(
  Object.keys(FOR_TESTS).map((name) => [name, undefined]),
);
