import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { AT_BAD, AT_WORSE, type Findings } from "../lab/bad-findings.ts";
import { startBad } from "../lab/bad-server.ts";
import { CHECKOUT } from "../lab/checkout.ts";
import type { Ran } from "../lab/commands.ts";
import { startHostile, startSilent, startWorse } from "../lab/faulty-servers.ts";
import type { Host } from "../lab/host.ts";
import { LONG_MAILS, longMailsTests } from "../lab/long-mails-tests.ts";
import { needsLab, withProduct } from "../lab/with-product.ts";

const SCRIPT = join(CHECKOUT, "test-email-security.sh");
const BAD = "198.51.100.80";
const WORSE = "198.51.100.81";
const HOSTILE = "198.51.100.82";
const SILENT = "198.51.100.83";
const WITHOUT_SERVER = "198.51.100.84";
const NOBODY = "203.0.113.99";
const ORDER = ["should be closed", "may not sign in", "TLS 1.2", "relays not", "smuggling"];

describe("the test of a server's security, and long mails", needsLab(), () => {
  let mailsAtBad: () => readonly string[];
  let madeByHostile: string;
  let runs: Readonly<Record<"here" | "there" | "stranger" | "bad" | "worse" | "hostile" | "silent", Ran>>;
  const { lab, product } = withProduct(
    {
      // The defaults.
      GHOSTINBOX_GREYLIST__ENABLED: undefined,
      GHOSTINBOX_FAIL2BAN__ENABLED: undefined,
      GHOSTINBOX_BANS__NEIGHBOURS: undefined,
      GHOSTINBOX_LIMITS__NETWORKS__FAILURES: undefined,
      // The address from which the test comes is on the allow list, as the page says.
      GHOSTINBOX_ALLOW__NETWORKS: "198.51.100.0/25",
      ...LONG_MAILS.settings,
    },
    LONG_MAILS.accounts,
    {
      records: () => [`bad.test. A ${BAD}`, `worse.test. A ${WORSE}`, `hostile.test. A ${HOSTILE}`],
      prepare: async () => {
        mailsAtBad = await startBad(lab.sender, lab.directory, BAD);
        await startWorse(lab.sender, lab.directory, WORSE);
        madeByHostile = await startHostile(lab.sender, lab.directory, HOSTILE);
        await startSilent(lab.sender, SILENT, [465, 587, 993]);
      },
    },
  );
  // Runs them in parallel, because they mostly wait.
  before(async () => {
    const [here, there, stranger, ofBad, worse, hostile, silent] = await Promise.all([
      run(lab.server),
      run(lab.sender, "mail.example.test"),
      run(lab.attacker, "--timeout", "5", "mail.example.test"),
      run(lab.attacker, "bad.test"),
      lab.attacker.exec([SCRIPT, "worse.test"], {
        env: { PATH: withTool("sslscan", "sed '/<cipher /q'") },
        deadlineMs,
      }),
      run(lab.attacker, "--timeout", "2", "hostile.test"),
      run(lab.attacker, "--timeout", "1", SILENT),
    ]);
    runs = { here, there, stranger, bad: ofBad, worse, hostile, silent };
  });

  const deadlineMs = 200_000;

  const run = (host: Host, ...argv: readonly string[]): Promise<Ran> => host.exec([SCRIPT, ...argv], { deadlineMs });

  /** A PATH with a version of this tool whose output passes through a filter. */
  function withTool(name: string, filter: string): string {
    const directory = lab.path(`path-${name}`);
    mkdirSync(directory);
    writeFileSync(join(directory, name), `#!/bin/sh\n/usr/bin/${name} "$@" | ${filter}\n`, { mode: 0o755 });
    return `${directory}:${process.env["PATH"] ?? ""}`;
  }

  function assertFound({ code, stdout, stderr }: Ran, findings: Findings): readonly string[] {
    assert.equal(code, 1, stdout + stderr);
    assert.equal(stderr, "");
    const lines = stdout.split("\n");
    for (const [name, seen] of Object.entries(findings)) {
      const line = lines.find((one) => one.includes(`  ${name}  `)) ?? "";
      assert.match(line, /^WRONG /, `${name}\n${stdout}`);
      assert.match(line.slice(line.indexOf(name) + name.length).trim(), seen, stdout);
    }
    return lines;
  }

  test("finds nothing at this server, from itself and from elsewhere", () => {
    for (const { code, stdout, stderr } of [runs.here, runs.there]) {
      assert.equal(code, 0, stdout + stderr);
      assert.equal(stderr, "");
      assert.match(stdout, /: 40 ok, 0 WRONG, 0 unknown\.\n$/);
      const places = ORDER.map((what) => stdout.indexOf(what));
      assert.deepEqual(
        places,
        places.toSorted((one, other) => one - other),
      );
      assert.ok(!places.includes(-1), stdout);
    }
    assert.match(runs.here.stdout, /^ok +ports that should be closed +open on loopback only: 26 3000 10025$/m);
    assert.match(runs.there.stdout, /^ok +ports that should be closed +closed: /m);
  });

  test("tries one wrong password on each port, and leaves no mail", async () => {
    for (const from of ["127.0.0.1", "198.51.100.10"]) {
      // 465 looks like 587: Dovecot sees only Postfix.
      const failed = (await product.events(from)).filter(({ type }) => type === "LOGIN_FAILED");
      const services = failed.map(({ service }) => service);
      assert.deepEqual(services, ["submission", "submission", "imap"]);
    }
    const log = readFileSync(product.layout.mailLog, "utf8");
    assert.match(log, /lost connection after DATA/);
    // On a slow machine the owner may get an alert.
    const alerts = [...log.matchAll(/pickup\[\d+\]: (\w+): uid=0 /g)].map(([, id = ""]) => id);
    const queued = log.split("\n").filter((line) => /queue active|status=/.test(line));
    const others = queued.filter((line) => !alerts.some((id) => line.includes(id)));
    assert.deepEqual(others, []);
  });

  test("finds every fault of a badly configured server, without leaving mail there", () => {
    const lines = assertFound(runs.bad, AT_BAD);
    // Each trick uses a single address.
    assert.equal(lines.filter((line) => /^WRONG +25: relays not (?:to|from) /.test(line)).length, 12, runs.bad.stdout);
    assert.deepEqual(mailsAtBad(), []);
  });

  test("finds every fault of a bad program, and does not take half a scan for a whole one", () => {
    const { stdout } = runs.worse;
    assertFound(runs.worse, AT_WORSE);
    for (const port of [25, 465])
      for (const what of ["TLS 1.2 and 1.3 only", "no weak cipher"])
        assert.match(stdout, new RegExp(`^unknown +${port}: ${what} +it stopped answering during the scan$`, "m"));
    assert.match(stdout, /^unknown +587: TLS +not tested: STARTTLS is not offered$/m);
  });

  test("says at its start that it will be limited, and reports nothing as fine that the ban hid", async () => {
    const { code, stdout, stderr } = runs.stranger;
    assert.equal(code, 1, stdout + stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /^Testing mail\.example\.test \(203\.0\.113\.10\): .*it may limit or ban your address/s);
    assert.match(stdout, /^mail\.example\.test took no more connections at [ \d]+: it has probably limited or banned/m);
    assert.match(stdout, /^unknown +25: relaying +not tested: it takes no connection any more$/m);
    assert.doesNotMatch(stdout, /^WRONG|^ok +(?:\d+: no weak cipher|25: relays)/m);
  });

  test("is not harmed by what a hostile server says", () => {
    const { code, stdout, stderr } = runs.hostile;
    assert.equal(code, 1, stdout + stderr);
    assert.equal(stderr, "");
    assert.doesNotMatch(stdout, /[^\n\x20-\x7E]/);
    assert.equal(Math.max(...stdout.split("\n").map(({ length }) => length)) <= 220, true, stdout);
    assert.ok(!existsSync(madeByHostile));
    assert.match(stdout, /^WRONG +587: greeting tells no version +220 hostile\.test Oldmail 2\.5\.1 .*\$\(touch /m);
    assert.match(stdout, /^ok +993: test:wrong may not sign in +NO .*\$\(to/m);
    assert.match(stdout, /^WRONG +993: certificate +names DNS:touch/m);
    assert.match(stdout, /^unknown +465: TLS 1\.2 and 1\.3 only /m);
    assert.match(stdout, /^unknown +25: greeting tells no version /m);
  });

  test("does not wait for a silent server, and reports nothing about it as fine", () => {
    const { code, stdout, stderr } = runs.silent;
    assert.equal(code, 1, stdout + stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /^unknown +587: greeting tells no version +no greeting$/m);
    assert.match(stdout, /^unknown +25: relaying and smuggling +not tested: it refuses connections$/m);
    assert.match(stdout, /: 2 ok, 0 WRONG, \d\d unknown\.\n$/);
  });

  test("reports a host that does not answer in one sentence", async () => {
    const broken = { env: { PATH: withTool("nmap", "grep -v done") } };
    const terminal = ["script", "-qec", `${SCRIPT} ${NOBODY}`, "/dev/null"];
    const [refuses, nobody, unscanned, atTerminal] = await Promise.all([
      run(lab.attacker, WITHOUT_SERVER),
      run(lab.attacker, NOBODY),
      lab.attacker.exec([SCRIPT, "bad.test"], broken),
      lab.attacker.exec(terminal),
    ]);
    for (const [{ code, stdout, stderr }, message] of [
      [
        refuses,
        `${WITHOUT_SERVER} (${WITHOUT_SERVER}) has no mail server for you: it refuses connections to 25 465 587 993.`,
      ],
      [nobody, `${NOBODY} (${NOBODY}) does not answer at 25 465 587 993.`],
      [unscanned, `bad.test (${BAD}) does not answer: nmap could not scan it.`],
    ] as const) {
      assert.deepEqual([code, stderr], [2, `test-email-security.sh: ${message} Nothing was tested.\n`]);
      assert.doesNotMatch(stdout, /^(?:ok|WRONG|unknown)|It starts/m);
    }
    assert.match(atTerminal.stdout, /^It starts in 5 seconds\. Ctrl-C stops it\./m);
  });

  test("passes shellcheck", async () => {
    assert.equal((await lab.sender.exec(["shellcheck", SCRIPT])).stdout, "");
  });

  test("says what is wrong with the command, and which tools are missing", async () => {
    for (const [argv, message] of [
      [["--no-such-option"], "Unknown option --no-such-option."],
      [["one.test", "two.test"], "Name one host, after the options."],
      [["one.test; reboot"], "This is neither a host name nor an address: one.test; reboot"],
      [["--foreign", "nobody"], "--foreign needs a mail address."],
      [["no-such-name.test"], "no-such-name.test has no address."],
    ] as const) {
      const { code, stdout, stderr } = await run(lab.sender, ...argv);
      assert.deepEqual([code, stdout, stderr], [2, "", `test-email-security.sh: ${message}\n`]);
    }
    const bare = await lab.sender.exec(["/usr/bin/env", "PATH=/nowhere", "/bin/bash", SCRIPT]);
    assert.deepEqual([bare.code, bare.stdout], [2, ""]);
    assert.match(
      bare.stderr,
      /apt-get install --no-install-recommends nmap sslscan swaks curl openssl .*libnet-ssleay-perl$/m,
    );
  });

  // Last, because these mails are delivered.
  describe("long mails", () => longMailsTests({ lab, product }));
});
