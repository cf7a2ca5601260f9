import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { lacking } from "../kit/needs.ts";
import { patience } from "../kit/patience.ts";
import { temporaryDirectory } from "../kit/temporary-directory.ts";
import { Typist } from "./typist.ts";

/** Set-up's own functions, without its `main`. */
const FUNCTIONS = 'eval "$(sed "/^main /d" scripts/setup)"';
/** By `apt-get install --print-uris` of Debian 12. */
const LISTED = `Reading package lists...
Building dependency tree...
Suggested packages:
  procmail postfix-mysql
The following packages will be REMOVED:
  esmtp-run* exim4-base
  exim4-daemon-light
The following NEW packages will be installed:
  dovecot-core libdb5.3
  postfix
The following packages will be upgraded:
  openssl
1 upgraded, 3 newly installed, 3 to remove and 6 not upgraded.
Need to get 5,000 kB of archives.
'http://deb.debian.org/debian/pool/main/p/postfix/postfix_3.7.11-0%2bdeb12u1_amd64.deb' postfix_3.7.11_amd64.deb 1500 SHA256:0
`;
const FINISHED = "An earlier installation of Debian packages was interrupted: finishing it first.";
const skip = lacking({ installed: ["bash", "getent", "timeout", "script"] });

describe("set-up looks for the network first", { skip }, () => {
  const server = createServer((socket) => socket.end());
  let port = 0;
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    assert.ok(typeof address === "object" && address !== null);
    ({ port } = address);
  });
  after(() => server.close());

  const asked = async (url: string) => {
    // Not synchronously: the server answers from this process.
    const child = spawn("bash", ["-c", `${FUNCTIONS}\nrequire_site "The packages" "${url}"`, "scripts/setup"]);
    let out = "";
    child.stderr.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await once(child, "close");
    return { code: child.exitCode, out };
  };

  test("one server that accepts connections is enough, and only web addresses are tried", async () => {
    for (const url of [`http://127.0.0.1:${port}/npm`, `http://user@localhost:${port}`, "file:///srv/debian", ""])
      assert.deepEqual(await asked(url), { code: 0, out: "" }, url);
  });

  test("without one, reports it in one sentence within seconds", async () => {
    const startedAt = performance.now();
    const why = "The packages cannot be fetched, because 127.0.0.1 does not answer";
    const out = `ghostinbox: ${why}: connect this machine to the internet and start again. Nothing was changed.\n`;
    assert.deepEqual(await asked("https://127.0.0.1:1/registry"), { code: 1, out });
    assert.equal((await asked("https://no-such-name.invalid")).code, 1);
    assert.ok(performance.now() - startedAt < patience(25_000));
  });
});

test("with a proxy for apt, only the proxy must be reachable, however long apt's settings are", { skip }, () => {
  const settings = (name: string): string => `apt-config() {
    echo '${name} "http://proxy.test:3142";'
    sleep 0.1
    for i in $(seq 2000); do echo 'APT::Architectures:: "amd64";'; done
  }`;
  const needed = (name: string): string =>
    kept(`${FUNCTIONS}; ${settings(name)}
    npm_incomplete() { return 1; }
    require_site() { echo "$1"; }
    http_proxy= https_proxy= require_network postfix`).stdout;
  assert.equal(needed("Acquire::http::Proxy"), "");
  assert.equal(needed("Acquire::http::Timeout"), "The Debian packages\n");
});

test("another set-up is refused while one works, even if only its apt is left", { skip }, () => {
  const lock = join(temporaryDirectory(), "lock");
  const alone = `${FUNCTIONS}; LOCK=${lock}; be_alone; echo alone`;
  const apt = Number.parseInt(kept(`${alone} >&2; sleep 60 >/dev/null 2>&1 & echo $!; kill -KILL $$`).stdout, 10);
  const stderr = "ghostinbox: Another set-up is running on this machine: wait until it has finished.\n";
  assert.deepEqual(kept(alone), { status: 1, stdout: "", stderr });
  process.kill(apt);
  assert.equal(kept(alone).stdout, "alone\n");
});

test("dpkg finds its programs even if su kept a user's PATH", { skip }, () => {
  assert.equal(kept(`PATH=/usr/bin:/bin; ${FUNCTIONS}; command -v ldconfig`).stdout, "/usr/sbin/ldconfig\n");
});

test("apt asks nothing, keeps changed files in /etc, and speaks English", { skip }, async () => {
  const asks = 'apt-get() { read -r answer && exit 9; echo "E: $LC_ALL $*"; return 1; }';
  const directory = temporaryDirectory();
  const script = join(directory, "script");
  writeFileSync(script, `export LC_ALL=C.UTF-8 TMPDIR=${directory}\n${FUNCTIONS}\n${asks}\napt_install postfix`);
  const typist = new Typist((argv) => argv, `bash ${script}`);
  assert.equal(await typist.ends(), 1);
  assert.match(typist.output, /^E: C install .*postfix .*=--force-confdef .*=--force-confold$/m);
});

test("an apt that is locked out is not called offline", { skip }, () => {
  const directory = temporaryDirectory();
  const installs = (error: string): string =>
    kept(`export TMPDIR=${directory}; ${FUNCTIONS}; apt-get() { echo "${error}"; return 1; }; apt_install postfix`)
      .stderr;
  const locked = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)";
  assert.match(installs(locked), /\. Another apt or dpkg is running: wait until it has finished\.\n$/);
  assert.match(installs("E: Failed to fetch"), /\. Is this machine online\?\n$/);
});

test("set-up waits while another apt or debconf holds a lock, but not after other failures", { skip }, () => {
  const waits = (error: string): string => {
    const runs = join(temporaryDirectory(), "runs");
    const work = `work() { echo run >>${runs}; [ "$(wc -l <${runs})" -gt 2 ] || { echo "${error}" >&2; return 100; }; }`;
    const { status, stderr } = kept(`${FUNCTIONS}; sleep() { :; }; ${work}; patiently work`);
    return `${readFileSync(runs, "utf8").length / "run\n".length} ${status} ${stderr}`;
  };
  assert.equal(waits("E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"), "3 0 ");
  assert.equal(waits("debconf: DbDriver: config.dat is locked by another process"), "3 0 ");
  assert.equal(waits("E: Failed to fetch"), "1 100 E: Failed to fetch\n");
});

test("packaged services do not start at the next boot, even if systemd does not run now", { skip }, () => {
  const data = temporaryDirectory();
  writeFileSync(join(data, "services-to-stop"), "postfix\nunbound:amd64\nopenssl\n");
  const asks = `systemctl() { echo "$*" >>${data}/asked; }`;
  assert.equal(kept(`DATA=${data}; ${FUNCTIONS}; DATA=${data}; ${asks}; stop_services`).status, 0);
  const now = existsSync("/run/systemd/system") ? "--now " : "";
  const units = ["postfix.service", "unbound.service", "unbound-resolvconf.service"];
  assert.equal(readFileSync(join(data, "asked"), "utf8"), units.map((unit) => `disable ${now}${unit}\n`).join(""));
});

describe("set-up shows the progress of long work", { skip }, () => {
  const directory = temporaryDirectory();
  /** The work ends once its progress was requested twice, so that it was shown at least once. */
  const twice = `until [ "$(wc -l <asked)" -ge 2 ]; do sleep 0.1; done; exit 3`;
  const script = (work: string): string => {
    const file = join(directory, "work");
    const says = `cd ${directory}; : >asked; says() { echo asked >>asked; echo half; }`;
    writeFileSync(file, `${FUNCTIONS}\n${says}\nwith_progress says bash -c '${work}' || echo "ended: $?"`);
    return file;
  };

  test("on a terminal, on one line", async () => {
    const typist = new Typist((argv) => argv, `bash ${script(twice)}`);
    await typist.sees(/ended: 3/, 15_000);
    assert.match(typist.output, / {2}half /);
    await typist.ends();
  });

  test("and prints nothing if the output is captured", () => {
    assert.equal(spawnSync("bash", [script("exit 3")], { encoding: "utf8" }).stdout, "ended: 3\n");
  });
});

describe("set-up removes no unrelated package without consent", { skip }, () => {
  const asks = (allowed: "yes" | "no", ...removed: readonly string[]): string =>
    `${FUNCTIONS}; consent_to_remove ${allowed} ${removed.join(" ")}; echo It continues.`;

  for (const [what, keys, code] of [
    ["no", "no\n", 1],
    ["anything but yes", "y\n", 1],
    ["Ctrl-D", "\x04", 1],
    ["Ctrl-C", "\x03", 130],
    ["yes", "yes\n", 0],
  ] as const)
    test(`where ${what} is typed`, async () => {
      const typist = new Typist((argv) => argv, `bash -c '${asks("no", "exim4", "esmtp-run")}' scripts/setup`);
      await typist.sees(/would REMOVE: exim4 esmtp-run\n.*Type yes to continue: /);
      typist.types(keys);
      assert.equal(await typist.ends(), code);
      assert.equal(/It continues\./.test(typist.output), code === 0);
      assert.equal(/Nothing was changed\./.test(typist.output), code === 1);
    });

  test("reads from apt's list what is new and what is removed", () => {
    const script = `${FUNCTIONS}; apt-get() { cat <<'END'\n${LISTED}END\n}; plan_of postfix; removed_by "$(plan_of postfix)"`;
    const removed = ["esmtp-run", "exim4-base", "exim4-daemon-light"];
    const added = ["new dovecot-core", "new libdb5.3", "new postfix"];
    const listed = [...removed.map((name) => `removed ${name}`), ...added, ...removed, ""];
    assert.deepEqual(kept(script).stdout.split("\n"), listed);
  });

  test("for the tests it also installs what they name, but no npm packages, which are installed at the same time", () => {
    const played = `${FUNCTIONS}
      for one in require_host be_alone require_network announce consent_to_remove; do eval "$one() { :; }"; done
      missing_packages() { echo postfix; }
      plan_debian() { echo "new $*"; }
      install_npm() { echo npm; }
      install_debian() { echo "$1, $*"; }
      main --debian nmap swaks`;
    assert.equal(kept(played).stdout, "new postfix nmap swaks, new postfix nmap swaks postfix nmap swaks\n");
    // Two loggers are refused by apt.
    assert.equal(kept(`${FUNCTIONS}; OTHERS=(nmap rsyslog); has_other busybox-syslogd && echo so`).stdout, "so\n");
  });

  test("an interrupted installation is finished first, and may remove as little without consent", () => {
    const played = (dpkg: string, plan: string) =>
      kept(`${FUNCTIONS}
      for one in require_host be_alone require_network announce install_npm; do eval "$one() { :; }"; done
      dpkg-query() { printf '${dpkg}\\n'; }
      apt-cache() { :; }
      missing_packages() { echo postfix; }
      plan_of() { ${plan}; }
      install_debian() { echo "$@"; }
      main`).stdout;
    const fixed = "new --fix-broken --fix-broken";
    const added = "new postfix postfix";
    assert.equal(played("installed\\nunpacked", "echo new $1"), `${FINISHED}\n${fixed}\n${added}\n`);
    assert.equal(played("installed\\nconfig-files", "echo new $1"), `${added}\n`);
    const refused = played("half-installed", "echo removed exim4");
    assert.equal(refused, `${FINISHED}\nInstalling these would REMOVE: exim4\n`);
  });

  test("only missing users and groups are listed", () => {
    const script = `${FUNCTIONS}; missing_names passwd root no-such-user daemon roo; missing_names group no-such-group root`;
    assert.equal(kept(script).stdout, "no-such-user\nroo\nno-such-group\n");
    assert.equal(kept(`${FUNCTIONS}; missing_names passwd root`).stdout, "");
  });

  test("on a system with Dovecot 2.4, which cannot read the settings, nothing is installed", () => {
    const planned = (candidate: string) =>
      kept(`${FUNCTIONS}; plan_of() { echo new postfix; }
      apt-cache() { printf 'dovecot-core:\\n  Installed: (none)\\n  Candidate: ${candidate}\\n'; }
      plan=$(plan_debian postfix); echo "$plan"`);
    // The second is of repo.dovecot.org.
    for (const candidate of ["1:2.3.19.1+dfsg1-2.1+deb12u6", "2:2.3.21-1+debian12", "(none)"])
      assert.equal(planned(candidate).stdout, "new postfix\n", candidate);
    const { status, stdout, stderr } = planned("1:2.4.1+dfsg1-6");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^ghostinbox: This system has Dovecot 2\.4 \(Debian 13\).*GhostInbox runs on Debian 12\.\n$/);
  });

  test("without a terminal", () => {
    const how = "start with --allow-remove or GHOSTINBOX_ALLOW_REMOVE=yes: exim4";
    const stderr = `ghostinbox: Nothing was changed. To let these packages be removed, ${how}\n`;
    const stdout = "Installing these would REMOVE: exim4\n";
    assert.deepEqual(kept(asks("no", "exim4")), { status: 1, stdout, stderr });
    assert.match(kept(asks("yes", "exim4")).stdout, /would REMOVE: exim4\nIt continues\.$/m);
    assert.deepEqual(kept(asks("no")), { status: 0, stdout: "It continues.\n", stderr: "" });
  });
});

describe("set-up retries a download that stops in the middle", { skip }, () => {
  /** `npm` is a function of these lines; returns what is said, and how often it ran. */
  const run = (npm: string) => {
    const directory = temporaryDirectory();
    const script = `${FUNCTIONS}; cd ${directory}; STALL_S=2; again_if_it_stalls cache bash -c 'echo run >>runs; ${npm}'`;
    const { status, stderr } = kept(script);
    return { status, stderr, runs: readFileSync(join(directory, "runs"), "utf8").split("\n").length - 1 };
  };
  const AGAIN = "The download stopped in the middle: retrying.\n";

  test("and nothing else", () => {
    assert.deepEqual(run('[ "$(wc -l <runs)" -gt 1 ] || exec sleep 60'), { status: 0, stderr: AGAIN, runs: 2 });
    const growing =
      "mkdir -p cache/_cacache/tmp; for n in 1 2 3 4; do head -c 9999 /dev/zero >>cache/_cacache/tmp/one; sleep 1; done; exit 3";
    assert.deepEqual(run(growing), { status: 3, stderr: "", runs: 1 });
  });

  test("three times at most", () => {
    assert.deepEqual(run("exec sleep 60"), { status: 137, stderr: AGAIN.repeat(3), runs: 3 });
  });
});

function kept(script: string) {
  const { status, stdout, stderr } = spawnSync("bash", ["-c", script, "scripts/setup"], { encoding: "utf8" });
  return { status, stdout, stderr };
}
