import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { ANY_CHARACTER } from "../../../test/kit/any-character.ts";
import { type Decision, decision, type Verdict } from "../../core/decide/decision.ts";
import { isReason, reasons } from "../../core/events/reasons.ts";
import { withoutTrailingDots } from "../../core/net/address.ts";
import { type PolicyProblem, parsePolicyRequest, printPolicyAction } from "./policy-protocol.ts";

/** A request of Postfix 3.7, without most of what is not read; `changes` replace or (undefined) omit attributes. */
function request(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const attributes: Record<string, string | undefined> = {
    request: "smtpd_access_policy",
    protocol_state: "RCPT",
    client_address: "203.0.113.7",
    client_name: "mail.example.net",
    client_port: "41234",
    server_address: "198.51.100.1",
    server_port: "25",
    helo_name: "mail.example.net",
    sender: "alice@example.net",
    recipient: "bob@example.org",
    recipient_count: "0",
    queue_id: "",
    instance: "1234.5678abcd.0",
    size: "1200",
    stress: "",
    sasl_username: "",
    encryption_protocol: "TLSv1.3",
    policy_context: "smtp",
    ...changes,
  };
  const lines = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return lines.map(([name, value]) => `${name}=${value}`).join("\n");
}

const host = "mail.example.net";
const client = { ip: "203.0.113.7", service: "smtp", session: "203.0.113.7 41234 25 198.51.100.1", clientName: host };
const envelope = { helo: host, sender: "alice@example.net", recipient: "bob@example.org", account: null };
const mail = { ...client, ...envelope, queueId: "", transaction: "1234.5678abcd.0" };
const recipient = { type: "RECIPIENT", blockListing: null, senderExists: null, ...mail };
const connection = { type: "CONNECT", ...client };
const CAROL = "carol@example.org";
const submitted = { ...recipient, service: "submission" };
const proxied = { ...connection, service: "submission", proxied: true };
const overIpv6 = { ...recipient, ip: "2001:db8::7", session: "2001:db8::7 41234 25 198.51.100.1" };

const stages: readonly (readonly [string, Readonly<Record<string, string | undefined>>, unknown])[] = [
  ["a connection", { protocol_state: "CONNECT", helo_name: "", sender: "", recipient: "", size: "0" }, connection],
  ["EHLO", { protocol_state: "EHLO" }, { type: "NOTHING_TO_DECIDE" }],
  ["MAIL", { protocol_state: "MAIL" }, { type: "NOTHING_TO_DECIDE" }],
  ["a recipient", {}, recipient],
  ["addresses that end with the root's dot", { sender: `${mail.sender}.`, recipient: `${mail.recipient}.` }, recipient],
  ["the null sender of a bounce", { sender: "" }, { ...recipient, sender: "" }],
  [
    "DATA to several recipients",
    { protocol_state: "DATA", recipient: "", recipient_count: "3", queue_id: "4Zabc" },
    { type: "DATA", recipientCount: 3, ...mail, recipient: null, queueId: "4Zabc" },
  ],
  [
    "the end of a message",
    { protocol_state: "END-OF-MESSAGE", recipient_count: "1", queue_id: "4Zabc", size: "48213" },
    { type: "END_OF_MESSAGE", recipientCount: 1, sizeBytes: 48_213, ...mail, queueId: "4Zabc" },
  ],
  ["a stage of a later Postfix", { protocol_state: "BDAT" }, { type: "NOTHING_TO_DECIDE" }],
  [
    "submission by an account",
    { policy_context: "submission", sasl_username: CAROL },
    { ...submitted, account: CAROL },
  ],
  ["submissions", { policy_context: "submissions" }, { ...recipient, service: "submissions" }],
  ["a call site of another name", { policy_context: "other" }, recipient],
  ["no context, as before Postfix 3.1", { policy_context: undefined }, recipient],
  ["a connection through a proxy", { protocol_state: "CONNECT", policy_context: "proxied-submission" }, proxied],
  ["a recipient through a proxy", { policy_context: "proxied-smtp" }, { ...recipient, proxied: true }],
  ["an unknown client name", { client_name: "unknown" }, { ...recipient, clientName: null }],
  ["no client name", { client_name: undefined }, { ...recipient, clientName: null }],
  ["IPv6 in any spelling", { client_address: "2001:DB8:0::7" }, overIpv6],
  ["IPv4 in IPv6", { client_address: "::ffff:203.0.113.7" }, recipient],
  ["= in a value", { sender: "a=b@example.net" }, { ...recipient, sender: "a=b@example.net" }],
  ["an address in UTF-8", { sender: "jürgen@example.net" }, { ...recipient, sender: "jürgen@example.net" }],
  ["a client that has gone", { protocol_state: "CONNECT", client_address: "unknown" }, { type: "CLIENT_GONE" }],
  ["an attribute of a later Postfix", { server_name: "x", sizes: "many" }, recipient],
];
for (const [name, changes, value] of stages)
  test(`policy request: ${name}`, () => assert.deepEqual(parsePolicyRequest(request(changes)), { ok: true, value }));

const broken: readonly (readonly [string, string, PolicyProblem])[] = [
  ["empty", "", "not_name_value"],
  ["no equals sign", "request", "not_name_value"],
  ["no name", "=x", "not_name_value"],
  ["an empty line first", `\n${request()}`, "not_name_value"],
  ["a line without = before one with", `${request()}\nbare\na=b`, "not_name_value"],
  ["a line end too many", `${request()}\n`, "not_name_value"],
  ["no request type", request({ request: undefined }), "not_a_policy_request"],
  ["another request type", request({ request: "junk" }), "not_a_policy_request"],
  ["no address", request({ client_address: undefined }), "bad_client_address"],
  ["a name for an address", request({ client_address: "localhost" }), "bad_client_address"],
  ["an address with a zone", request({ client_address: "fe80::1%eth0" }), "bad_client_address"],
  ["a count that is not a number", request({ protocol_state: "DATA", recipient_count: "-1" }), "bad_number"],
  ["a count left empty", request({ protocol_state: "DATA", recipient_count: "" }), "bad_number"],
  ["a size in words", request({ protocol_state: "END-OF-MESSAGE", size: "1e9" }), "bad_number"],
  ["an endless size", request({ protocol_state: "END-OF-MESSAGE", size: "9".repeat(20) }), "bad_number"],
];
for (const [name, block, reason] of broken)
  test(`policy request refused: ${name}`, () => assert.deepEqual(parsePolicyRequest(block), { ok: false, reason }));

test("the order of attributes does not matter", () => {
  const lines = request({ protocol_state: "DATA", recipient_count: "1" }).split("\n");
  fc.assert(
    fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (shuffled) => {
      assert.deepEqual(parsePolicyRequest(shuffled.join("\n")), parsePolicyRequest(lines.join("\n")));
    }),
    { seed: 3, numRuns: 200 },
  );
});

test("no input throws, and a plain reader finds the same values", () => {
  const others = ["protocol_state=DATA", "protocol_state=CONNECT", "client_address=::1", ""];
  const known = fc.constantFrom(...request().split("\n"), ...others);
  const line = fc.oneof(known, fc.string({ unit: ANY_CHARACTER, maxLength: 30 }));
  const mutated = fc
    .tuple(fc.nat(request().length), fc.string({ unit: ANY_CHARACTER, maxLength: 3 }), fc.nat(5))
    .map(([at, put, cut]) => request().slice(0, at) + put + request().slice(at + cut));
  const lines = fc.array(line, { maxLength: 40 }).map((all) => all.join("\n"));
  fc.assert(
    fc.property(fc.oneof(mutated, lines), (text) => {
      const parsed = parsePolicyRequest(text);
      const pairs = text.split("\n").map((each) => [each.split("=", 1)[0], each.slice(each.indexOf("=") + 1)] as const);
      const fields = new Map(pairs);
      if (!parsed.ok || parsed.value.type === "NOTHING_TO_DECIDE" || parsed.value.type === "CLIENT_GONE") return;
      assert.equal(fields.get("request"), "smtpd_access_policy");
      if (parsed.value.type === "CONNECT" || parsed.value.type === "SIEVE_CLIENT") return;
      assert.equal(parsed.value.sender, withoutTrailingDots(fields.get("sender") ?? ""));
      assert.equal(parsed.value.helo, fields.get("helo_name") ?? "");
      assert.equal(parsed.value.recipient ?? "", withoutTrailingDots(fields.get("recipient") ?? ""));
      assert.equal(parsed.value.account ?? "", fields.get("sasl_username") ?? "");
    }),
    { seed: 4, numRuns: 3000 },
  );
});

const CROWD = "PREPEND X-GhostInbox-Crowd: one of many first mails";
const answers: readonly (readonly [string, Decision, "CONNECT" | "RECIPIENT" | "DATA", string])[] = [
  ["a pass", decision("pass", "below_limit"), "RECIPIENT", "DUNNO"],
  ["a pass of someone who was banned", decision("pass", "banned"), "CONNECT", "DUNNO"],
  ["a delay", decision("delay", "known_address"), "DATA", "DUNNO"],
  ["a mail that is held", decision("hold", "account_held"), "DATA", "HOLD"],
  ["a ban at connect", decision("refuse", "banned"), "CONNECT", "421 4.7.0 Service not available, try again later"],
  ["a ban at DATA", decision("refuse", "mail_limit"), "DATA", "421 4.7.0 Service not available, try again later"],
  ["a provider at DATA", decision("defer", "provider_busy"), "DATA", "450 4.7.1 Too busy, try again later"],
  ["a provider at connect", decision("defer", "provider_busy"), "CONNECT", "421 4.7.1 Too busy, try again later"],
  ["a forged sender", decision("refuse", "own_sender"), "RECIPIENT", "550 5.7.1 Sender address rejected"],
  ["a first contact", decision("pass", "greylist_asked"), "RECIPIENT", "greylist"],
  ["an unknown recipient that is hidden", decision("pass", "recipient_hidden"), "RECIPIENT", "greylist_unknown"],
  ["a mail of one of many new places", decision("pass", "first_contacts_marked"), "DATA", CROWD],
  ["the same in simulation", { ...decision("pass", "first_contacts_marked"), simulated: "pass" }, "DATA", "DUNNO"],
  ["a reason without a reply", decision("refuse", "loopback"), "CONNECT", "DUNNO"],
];
for (const [name, decided, stage, action] of answers)
  test(`policy action: ${name}`, () => assert.equal(printPolicyAction(decided, stage), `action=${action}\n\n`));

const ACTION =
  /^action=(DUNNO|HOLD|greylist|greylist_unknown|PREPEND X-GhostInbox-Crowd: [a-z ]+|[45]\d\d [45]\.\d\.\d [\x20-\x7e]+)\n\n$/;

test("every answer is one line and an empty one, with a text of the catalogue", () => {
  const verdicts: readonly Verdict[] = ["pass", "delay", "hold", "defer", "refuse"];
  for (const reason of Object.keys(reasons).filter((key) => isReason(key)))
    for (const verdict of verdicts)
      for (const stage of ["CONNECT", "RECIPIENT", "DATA", "END_OF_MESSAGE"] as const)
        assert.match(printPolicyAction(decision(verdict, reason), stage), ACTION);
});
