import { describe } from "node:test";
import { daneRecords } from "../lab/dane-tests.ts";
import { UNLIMITED } from "../lab/for-tests.ts";
import { FORWARDS_RECORDS, forwardsTests } from "../lab/forwards-tests.ts";
import { sieveMailTests } from "../lab/sieve-mail-tests.ts";
import { type Sink, startSink } from "../lab/sink.ts";
import { type Certificate, makeCertificate } from "../lab/tls-server.ts";
import { serveLiveCertificate, tlsTests } from "../lab/tls-tests.ts";
import { userMailboxesTests } from "../lab/user-mailboxes-tests.ts";
import { VACATION_RECORDS, vacationTests } from "../lab/vacation-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

/** The server of written.test: its mail comes from there, and replies go there. */
const HONEST = "198.51.100.10";
/** The server of elsewhere.test. */
const THERE = "198.51.100.100";

describe("what the server sends for its users, and TLS", needsLab(), () => {
  const running = withProduct(
    {
      ...UNLIMITED,
      // As few as the replies that an account may send per hour.
      GHOSTINBOX_LIMITS__CONNECTIONS__SMTP_PLACES: "20",
      // Off, so that only the guard decides who may send mail like a Sieve script. In reach-tests.ts the firewall is on.
      GHOSTINBOX_FIREWALL__ENABLED: "false",
    },
    ["anna@example.test", "bert@example.test", "slow@example.test", "tessa@example.test"],
    {
      toml: '[tls]\nprofile = "seed"\n',
      records: async () => [
        "written.test. MX 10 mx.sender.test.",
        `written.test. TXT "v=spf1 ip4:${HONEST} -all"`,
        "elsewhere.test. MX 10 mx.elsewhere.test.",
        `mx.elsewhere.test. A ${THERE}`,
        ...FORWARDS_RECORDS,
        ...VACATION_RECORDS,
        ...daneRecords((published = await makeCertificate(running.lab.directory, "published", "whatever.test"))),
      ],
      prepare: async (made) => {
        const { lab } = made;
        await serveLiveCertificate(made);
        written = await startSink(lab, HONEST);
        elsewhere = await startSink(lab, THERE);
      },
    },
  );
  let published: Certificate;
  let written: Sink;
  let elsewhere: Sink;
  const atWritten = (): readonly string[] => written.mails();
  const atElsewhere = (): readonly string[] => elsewhere.mails();

  describe("replies while a user is away", () => vacationTests(running, atWritten));
  describe("mail that an alias forwards and its target refuses", () => forwardsTests(running, atWritten));
  describe("the owner's settings of a mailbox beside its password", () => userMailboxesTests(running, atElsewhere));
  // Late, because its script stays.
  describe("mail that Sieve scripts send", () => sieveMailTests(running, atElsewhere));
  // Last, because it sends all mail through a relay.
  describe("TLS on every port", () => tlsTests(running, () => published));
});
