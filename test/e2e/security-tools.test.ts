import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { deflateSync } from "node:zlib";
import { instant, MINUTE_MS } from "../../src/core/time.ts";
import { hardening } from "../../src/host/debian/hardening.ts";
import { knownHoles } from "../../src/host/debian/updates.ts";
import { runProgram } from "../../src/host/machine/run-program.ts";
import { allCommands } from "../../src/host/running/read-processes.ts";
import { readPsad, readSuricata } from "../../src/mail/detectors/intrusion-alerts.ts";
import { createCertificateWatch } from "../../src/programs/keeper/watches/watch-certificates.ts";
import { DETECTOR_PROCESSES } from "../../src/programs/keeper/watches/watch-detectors.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { HandClock } from "../kit/engine-kit.ts";
import { listenOnPort } from "../kit/local-server.ts";
import { lacking } from "../kit/needs.ts";
import { ownCertificate } from "../kit/own-certificate.ts";
import { OWN_ETC } from "../kit/own-etc.ts";
import { patience } from "../kit/patience.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { certificateLog } from "../lab/certificate-log.ts";
import { CHECKOUT } from "../lab/checkout.ts";
import { until } from "../lab/wait.ts";

/** As in scripts/prepare-tests.sh. */
const UNPACKED = "/var/cache/ghostinbox-tests/unpacked/root";
const bin = (path: string): string => join(UNPACKED, "usr", path);
const skip =
  lacking({
    installed: ["rsyslogd", "openssl", bin("sbin/psad"), bin("sbin/lynis"), bin("bin/debsecan")],
  }) || OWN_ETC.skip;
const suricata = { skip: lacking({ installed: [bin("bin/suricata")] }) };

async function asInstalled(script: string): Promise<string> {
  const argv = [join(CHECKOUT, "test/lab/as-installed.sh"), UNPACKED, script] as const;
  const ran = await runProgram(argv[0], argv.slice(1), { timeoutMs: patience(60_000) });
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  return ran.stdout;
}

/**
 * Sends mails that one rule matches, from a client to a server on port 25, until one is reported, because Suricata drops the first
 * packets after its start. The rule looks at packets (`tcp-pkt`), because a reassembled stream this short is inspected only at its
 * end, and on a busy machine not even then.
 */
const EXPLOITED = `
echo 'alert tcp-pkt any any -> any 25 (msg:"LOCAL exploit"; flow:established,to_server; content:"\${run{"; sid:1000001; priority:1;)' >/run/local.rules
python3 -W ignore -m smtpd -n -c DebuggingServer 127.0.0.1:25 >&2 &
suricata -i lo -S /run/local.rules -l /var/log >/run/suricata.out 2>&1 &
for try in $(seq 30); do
  swaks --server 127.0.0.1 --from a@example.net --to 'root+\${run{/bin/sh}}@localhost' >&2 || true
  if grep -q '"event_type":"alert"' /var/log/eve.json; then cat /proc/[0-9]*/comm /var/log/eve.json || true; exit; fi
  sleep 1
done
cat /run/suricata.out
exit 1
`;

/** rsyslog writes as docs/intrusion-detection.md says; the kernel's lines are those of an iptables rule with LOG. */
const SCANNED = `
cat >/run/rsyslog.conf <<'END'
module(load="imuxsock" SysSock.Name="/dev/log")
:programname, isequal, "psad" action(type="omfile" file="/var/log/psad-scans.log")
END
sees() { for try in $(seq 200); do if grep -q "$1" "$2" 2>/dev/null; then return; fi; sleep 0.1; done; cat /run/psad.out; exit 1; }
rsyslogd -n -i NONE -f /run/rsyslog.conf &
for try in $(seq 200); do if [ -S /dev/log ]; then break; fi; sleep 0.1; done
: >/var/log/messages
sed -i -e 's/^\\(HOSTNAME\\) .*/\\1 lab;/' -e 's/^\\(ALERTING_METHODS\\) .*/\\1 noemail;/' \\
  -e 's/^\\(CHECK_INTERVAL\\) .*/\\1 1;/' -e 's|^\\(PSAD_FIFO_DIR\\) .*|\\1 /run/psad-fifo;|' /etc/psad/psad.conf
psad --no-daemon --no-whois --no-rdns --no-fwcheck --no-ipt-errors >/run/psad.out 2>&1 &
sees "starting up psad" /var/log/psad-scans.log
for port in $(seq 1 200); do
  echo "$(date '+%b %e %H:%M:%S') lab kernel: DROP IN=eth0 OUT= SRC=198.51.100.7 DST=203.0.113.25 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=1 DF PROTO=TCP SPT=40000 DPT=$port WINDOW=1024 RES=0x00 SYN URGP=0"
done >/run/dropped
# At once, or psad may see a smaller scan first.
cat /run/dropped >>/var/log/messages
sees "scan detected" /var/log/psad-scans.log
cat /proc/[0-9]*/comm /var/log/psad-scans.log || true
`;

const processOf = (detector: (typeof DETECTOR_PROCESSES)[number]["name"]): string =>
  DETECTOR_PROCESSES.find(({ name }) => name === detector)?.process ?? "";

describe("the security tools of Debian, run for real", { skip, concurrency: true }, () => {
  test("Suricata 7.0.10: a rule's match in a client's commands is read from eve.json", suricata, async () => {
    const lines = (await asInstalled(EXPLOITED)).split("\n");
    assert.ok(lines.includes(processOf("suricata")), "the process by whose name the keeper knows it");
    const alerts = lines.flatMap((line) => readSuricata(line, 2) ?? []);
    const said = new Set(alerts.map(({ ip, text }) => `${ip}: ${text}`));
    assert.deepEqual([...said], ["127.0.0.1: 1000001 LOCAL exploit, severity 1, port 25"]);
  });

  test("psad 2.4.6: a scan of 200 ports is read from the file that rsyslog writes", async () => {
    const lines = (await asInstalled(SCANNED)).split("\n");
    assert.ok(lines.includes(processOf("psad")), "the process by whose name the keeper knows it");
    const scans = lines.flatMap((line) => readPsad(line, 3, instant(Date.now())) ?? []);
    const ips = scans.map(({ ip }) => ip);
    assert.deepEqual(ips, ["198.51.100.7"]);
    const text = scans[0]?.text ?? "";
    assert.match(text, /^scan detected \(Nmap .*\): 198\.51\.100\.7 -> 203\.0\.113\.25 tcp: \[1-200\].* DL: 3 /);
  });

  test("Lynis 3.0.8: the findings of a run are in the report", async () => {
    const audit = "lynis audit system --quick --quiet --no-plugins --tests 'BANN-7126 AUTH-9328'";
    const file = join(temporaryDirectory(), "lynis-report.dat");
    writeFileSync(file, await asInstalled(`echo Hello >/etc/issue; ${audit} >&2; cat /var/log/lynis-report.dat`));
    const found = hardening(file);
    assert.ok(found.known, found.known ? "" : found.reason);
    assert.ok(Math.abs(Date.now() - Date.parse(found.at)) < 5 * MINUTE_MS, found.at);
    assert.ok(found.index > 0 && found.index <= 100 && found.suggestions > 0, JSON.stringify(found));
  });

  test("debsecan 0.4.20: packages with known vulnerabilities, by the data of a server on this machine", async () => {
    const directory = temporaryDirectory();
    chmodSync(directory, 0o755);
    const at = (name: string): string => join(directory, name);
    const asked: string[] = [];
    // The format of debsecan's fetch_data: vulnerabilities, those of each package, and the packages of a source.
    const data = [
      ["VERSION 1", "CVE-2026-0001,,a hole", "CVE-2026-0002,,another", ""],
      ["openssl,0, HRF,3.5.0-1,3.0.21-1", "tar,1, L  ,,", ""],
      ["openssl,openssl libssl3", "tar,tar", "", ""],
    ];
    const server = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end(deflateSync(data.flat().join("\n")));
    });
    const source = `http://127.0.0.1:${await listenOnPort(server)}/`;
    const installed = [
      "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.20-1\n",
      "Package: tar\nStatus: install ok installed\nVersion: 1.34\n",
    ];
    writeFileSync(at("status"), `${installed.join("\n")}\n`);
    copyFileSync(bin("bin/debsecan"), at("real"));
    const options = `--source ${source} --status ${at("status")}`;
    writeFileSync(at("debsecan"), `#!/bin/sh\nexec python3 ${at("real")} ${options} "$@"\n`, { mode: 0o755 });
    writeFileSync(at("os-release"), "VERSION_CODENAME=bookworm\n");
    assert.deepEqual(await knownHoles({ lists: "/none", debsecan: at("debsecan"), osRelease: at("os-release") }), {
      known: true,
      isInstalled: true,
      fixable: [{ name: "libssl3", cves: ["CVE-2026-0001"] }],
      unfixed: 1,
    });
    assert.deepEqual(asked, ["/bookworm"]);
  });

  test("certspotter 0.16: a certificate with a foreign key in a log causes an alert", async () => {
    const [directory, layout] = [temporaryDirectory(), layoutOf(temporaryDirectory())];
    const at = (name: string): string => join(directory, name);
    const [own, foreign, other] = ["own.example.org", "mail.example.org", "example.net"].map((name) => {
      mkdirSync(at(name));
      return ownCertificate(at(name), name).cert;
    });
    assert.ok(own !== undefined && foreign !== undefined && other !== undefined);
    const log = certificateLog([own, foreign, other]);
    const port = await listenOnPort(log.server);
    writeFileSync(at("logs.json"), JSON.stringify(log.listed(`http://127.0.0.1:${port}/`)));
    writeFileSync(at("watchlist"), ".example.org\n");
    const found = at("found.log");
    const places = ["-logs", at("logs.json"), "-watchlist", at("watchlist"), "-state_dir", at("state")];
    const spotter = spawn(bin("bin/certspotter"), [...places, "-script", join(CHECKOUT, "examples/certspotter-hook")], {
      env: { PATH: process.env["PATH"], HOME: directory, GHOSTINBOX_CERTIFICATES: found },
      stdio: "inherit",
    });
    after(() => spotter.kill("SIGKILL"));
    const areFound = () => existsSync(found) && readFileSync(found, "utf8").split("\n").length === 3;
    await until("both are found", areFound, 20_000);
    assert.ok(allCommands().has(processOf("certspotter")));

    mkdirSync(layout.tlsServed, { recursive: true });
    const clock = new HandClock(Date.now() + 16 * MINUTE_MS);
    const watch = createCertificateWatch(layout, clock, () => ({
      "certificates.log": found,
      "certificates.files": [join(at("own.example.org"), "cert.pem")],
      "certificates.known": [],
    }));
    watch.look();
    const [trouble, ...more] = watch.troubles();
    assert.deepEqual([trouble?.code, more], ["certificate_unknown", []]);
    const detail = trouble?.detail ?? "";
    assert.match(detail, /^for \.example\.org by CN=mail\.example\.org: key [0-9a-f]{64}, certificate [0-9a-f]{64}$/);
  });
});
