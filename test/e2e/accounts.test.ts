import { describe } from "node:test";
import { accountsTests } from "../lab/accounts-tests.ts";
import { RECORDS } from "../lab/content.ts";
import { UNLIMITED } from "../lab/for-tests.ts";
import { receivedAuthorsTests } from "../lab/received-authors-tests.ts";
import { makeSigner } from "../lab/signer.ts";
import { submittedAuthorsTests } from "../lab/submitted-authors-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

describe("accounts, and the authors that mail names", needsLab(), () => {
  const signer = makeSigner();
  const running = withProduct(
    { GHOSTINBOX_DOMAIN: "example.test,two.test", ...UNLIMITED },
    ["anna@example.test", "bert@example.test", "ceo@two.test"],
    {
      records: () => [
        ...RECORDS,
        "two.test. MX 10 mail.example.test.",
        signer.record("example.test"),
        '_dmarc.parent.test. TXT "v=DMARC1; p=none; sp=quarantine"',
      ],
      prepare: ({ product }) => product.set({ GHOSTINBOX_ACCOUNTS__FOLLOW: followed }),
    },
  );

  const followed = running.lab.path("postfix-accounts.cf");

  describe("a stranger's mail", () => receivedAuthorsTests(running, signer));
  describe("an account's mail", () => submittedAuthorsTests(running));
  describe("accounts", () => accountsTests(running, followed));
});
