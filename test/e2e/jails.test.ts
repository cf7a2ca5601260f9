import { describe } from "node:test";
import { RECORDS } from "../lab/content.ts";
import { fail2banClientTests } from "../lab/fail2ban-client-tests.ts";
import { honestServersTests } from "../lab/honest-servers-tests.ts";
import { dropFirstFilter, ownFiltersTests } from "../lab/own-filters-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("a server with Fail2ban", needsLab(), () => {
  const running = withProduct(
    {
      GHOSTINBOX_FAIL2BAN__ENABLED: "true",
      // So that Postfix's own count of mails does not interfere here.
      GHOSTINBOX_LIMITS__MAIL__POSTFIX_PER_MINUTE: "1000",
    },
    ["anna@example.test", "bert@example.test"],
    { copied: true, records: () => RECORDS, prepare: dropFirstFilter },
  );

  // First, because it stops Fail2ban, which the others need.
  describe("a Fail2ban that an attacker has taken over", () => fail2banClientTests(running));
  describe("security/filter.d of the checkout", () => ownFiltersTests(running));
  describe("an honest server with unwanted mail is not banned", () => honestServersTests(running));
});
