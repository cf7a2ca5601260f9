// Invariant: No system user reaches more sockets, files and directories than the table of docs/reference/files.md says.
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { readDelivery } from "../../src/jobs/export/delivery-record.ts";
import { AS_NOBODY } from "./commands.ts";
import { ANNA, openImap, sendMail } from "./mail.ts";
import { type Identity, identitiesOf, identityNamed, opens, type Reach, reachOf } from "./reach.ts";
import { until } from "./wait.ts";
import type { Running } from "./with-product.ts";

/** The value of every secret setting. */
const SECRET = "s3cr3t";

type Allowed = Readonly<{ [K in keyof Reach]?: readonly RegExp[] }>;

/** Files that any local user reaches: programs and rendered configuration without secrets. No socket, and nothing writable. */
const EVERYONE: Allowed = {
  reads: [
    /^program\//,
    /^conf\/dovecot\/(quota-warning|scripts-dict\.conf|spam-learn)$/,
    /^conf\/(export|fail2ban|fail2ban-own|postfix|postgrey|rspamd|sieve|spamass-milter|spamassassin|unbound|web)\//,
    /^service\/[^/]+\/(run|started|finish|control\/t|log\/run)$/,
    /^spool\/postfix\/(chroot-)?etc\//,
    /^lib\/dovecot\/instances$/,
    /^run\/start\.pid$/,
  ],
};

/** What each user reaches in addition. A user that runs a program of the server and is missing here fails the test. */
const ALLOWED: Readonly<Record<string, Allowed>> = {
  ghostinbox: {
    sockets: [
      /^run\/guard\/(control|web)\.sock$/,
      /^run\/keeper\/keeper\.sock$/,
      /^spool\/postfix\/ghostinbox\/(policy|milter)$/,
    ],
    reads: [
      /^ghostinbox\.toml$/,
      /^run\/settings\.toml$/,
      /^secrets\/login-policy$/,
      /^db\//,
      /^log\/(mail|rspamd|spamd|web)\//,
      /^spool\/fail2ban\//,
      /^lib\/export\//,
      /^run\/guard\//,
    ],
    writes: [/^db\//, /^run\/guard(\/|$)/, /^spool\/fail2ban/, /^spool\/postfix\/ghostinbox$/],
  },
  "ghostinbox-web": {
    sockets: [/^run\/guard\/web\.sock$/],
    reads: [/^db\/engine\//],
  },
  "ghostinbox-export": {
    reads: [/^db\/engine\//, /^lib\/export\//],
    writes: [/^lib\/export(\/|$)/],
  },
  "ghostinbox-mail": {
    sockets: [/^run\/dovecot\/(dict|quota-warning|spam-learn)$/],
    reads: [/^mail\//],
    writes: [/^mail(\/|$)/],
  },
  "ghostinbox-fail2ban": {
    sockets: [/^run\/fail2ban\/fail2ban\.sock$/],
    reads: [/^(lib|run|spool)\/fail2ban\//, /^log\/(mail|web)\//],
    writes: [/^(lib|run|spool)\/fail2ban(\/|$)/],
  },
  postfix: {
    sockets: [
      /^spool\/postfix\/(private|public)\//,
      /^spool\/postfix\/ghostinbox\/(policy|milter)$/,
      /^spool\/postfix\/postgrey\/socket$/,
      /^spool\/postfix\/rspamd\/milter$/,
      /^spool\/postfix\/spam\/milter$/,
    ],
    reads: [/^db\/accounts\//, /^lib\/postfix\//, /^spool\/postfix\//],
    writes: [/^lib\/postfix(\/|$)/, /^spool\/postfix\/(?!ghostinbox|postgrey|rspamd|spam|chroot-etc|etc)/],
  },
  dovecot: { sockets: [/^run\/dovecot\//], reads: [/^db\/accounts\//] },
  dovenull: { sockets: [/^run\/dovecot\/(token-)?login\//] },
  "spamass-milter": {
    sockets: [/^run\/spamd\/head$/, /^spool\/postfix\/spam\/milter$/],
    writes: [/^spool\/postfix\/spam$/],
  },
  "debian-spamd": {
    sockets: [/^run\/spamd\/(head|pulse|socket)$/],
    reads: [/^lib\/spamd\//, /^db\/spam\//],
    writes: [/^lib\/spamd(\/|$)/, /^run\/spamd$/],
  },
  _rspamd: {
    sockets: [/^spool\/postfix\/rspamd\/milter$/],
    // The secret with which Rspamd tells Postfix who is proven; Postfix's tables that contain it are root's.
    reads: [/^lib\/(dkim|rspamd)\//, /^lib\/proof\/word$/, /^db\/authors\//],
    writes: [/^lib\/rspamd(\/|$)/, /^spool\/postfix\/rspamd$/],
  },
  postgrey: {
    sockets: [/^spool\/postfix\/postgrey\/socket$/],
    reads: [/^lib\/postgrey\//],
    writes: [/^lib\/postgrey(\/|$)/, /^spool\/postfix\/postgrey$/],
  },
  unbound: {},
  nobody: {},
};

/** For a server with all parts: also with spam.enabled, fail2ban.enabled and greylist.enabled. */
export const REACHED = {
  settings: {
    GHOSTINBOX_ALERTS__EMAIL: ANNA,
    // No program listens there.
    GHOSTINBOX_EXPORT__SYSLOG__ENABLED: "true",
    GHOSTINBOX_EXPORT__SYSLOG__HOST: "127.0.0.1",
    GHOSTINBOX_ALERTS__WEBHOOK: `http://127.0.0.1:9/${SECRET}`,
  },
  toml: `alerts.ntfy = ["http://127.0.0.1:9/${SECRET}"]\n`,
};

/** For a server with REACHED and the account anna@example.test. */
export function reachTests({ lab, product }: Running): void {
  const identities: Identity[] = [];
  const reached = new Map<string, Reach>();

  before(async () => {
    await until("the exporter has started", () => readDelivery(product.layout.exportRecord));
    await sendMail({ host: lab.sender, from: "198.51.100.66", recipient: ANNA });
    // Starts processes that run only during a sign-in.
    const imap = await openImap(lab.sender, "198.51.100.66");
    await imap.imap(`LOGIN ${ANNA} wrong`);
    identities.push(...identitiesOf(product));
    imap.close();
    await until("it has tried", () => readDelivery(product.layout.exportRecord)?.trouble);
    for (const name of ["nobody", "dovenull", "dovecot", "ghostinbox-mail"])
      identities.push(await identityNamed(product, name));
    for (const identity of identities) {
      const before = reached.get(identity.name);
      const now = await reachOf(product, identity);
      const union = (way: keyof Reach) => [...new Set([...(before?.[way] ?? []), ...now[way]])];
      reached.set(identity.name, { sockets: union("sockets"), reads: union("reads"), writes: union("writes") });
    }
  });

  async function whoOpens(port: number): Promise<readonly string[]> {
    const open = new Set<string>();
    for (const identity of identities) if (await opens(product, identity, port)) open.add(identity.name);
    return [...open];
  }

  test("is known for each of them", () => {
    assert.deepEqual([...reached.keys()].toSorted(), Object.keys(ALLOWED).toSorted());
  });

  for (const [name, allowed] of Object.entries(ALLOWED))
    test(`${name}: what the table says, and nothing else`, () => {
      const found = reached.get(name) ?? assert.fail(`${name} runs nothing`);
      for (const way of ["sockets", "reads", "writes"] as const) {
        const may = [...(EVERYONE[way] ?? []), ...(allowed[way] ?? [])];
        const beyond = found[way].filter((path) => !may.some((pattern) => pattern.test(path)));
        assert.deepEqual(beyond, [], `${name} ${way}`);
      }
      const isUsed = (door: RegExp): boolean => found.sockets.some((path) => door.test(path));
      for (const door of allowed.sockets ?? []) assert.ok(isUsed(door), `${name} has no use for ${door}`);
    });

  test("the exporter runs as its own user, and says why nothing arrives", async () => {
    const pids = product.pidsOf(/program\/export\.js/);
    assert.equal(pids.length, 1);
    assert.equal(statSync(`/proc/${pids[0]}`).uid, (await identityNamed(product, "ghostinbox-export")).uid);
    assert.match(readDelivery(product.layout.exportRecord)?.trouble ?? "", /ECONNREFUSED 127\.0\.0\.1:6514/);
  });

  test("only Postfix is in Postfix's group", async () => {
    const { gid } = await identityNamed(product, "postfix");
    const members = identities.filter((one) => one.gid === gid || one.groups.includes(gid)).map(({ name }) => name);
    assert.deepEqual([...new Set(members)], ["postfix"]);
  });

  test("only the guard reads the secrets of the settings, and no environment of the web has them", () => {
    const holds = (file: string): boolean => readFileSync(file, "latin1").includes(SECRET);
    const { data, settings } = product.layout;
    assert.ok(holds(settings));
    for (const [name, { reads }] of reached) {
      const secret = name === "ghostinbox" ? [] : reads.filter((path) => holds(join(data, path)));
      assert.deepEqual(secret, [], name);
    }
    const [web = 0] = product.pidsOf(/program\/web\.js/);
    assert.ok(web > 0, "the web runs");
    const environment = readFileSync(`/proc/${web}/environ`, "latin1");
    assert.match(environment, /GHOSTINBOX_DATA=/);
    assert.doesNotMatch(environment, /ALERTS|s3cr3t/);
  });

  test("the port at which Dovecot asks is for Dovecot, and alerts have none", async () => {
    assert.deepEqual(await whoOpens(10_025), ["dovecot"]);
    const root: Identity = { name: "root", uid: 0, gid: 0, groups: [] };
    assert.ok(await opens(product, root, 10_025));
  });

  test("only the user that delivers mail opens the port for mail from Sieve scripts, and no unexpected port listens on loopback", async () => {
    assert.deepEqual(await whoOpens(26), ["ghostinbox-mail"]);
    const listening = await lab.server.mustExec(["ss", "-Hltn", "src", "127.0.0.1"]);
    const ports = Array.from(listening.matchAll(/ 127\.0\.0\.1:(\d+) /g), ([, port]) => Number(port));
    const inOrder = ports.toSorted((a, b) => a - b);
    assert.deepEqual(inOrder, [26, 3_000, 10_025]);
  });

  test("no local program puts anything into the queue as root does with an alert", async () => {
    const sendmail = ["/usr/sbin/sendmail", "-C", product.layout.postfixConf, "-f", "postmaster@example.test", ANNA];
    const ran = await lab.server.exec([...AS_NOBODY, ...sendmail], { input: "Subject: forged\n\nx\n" });
    assert.notEqual(ran.code, 0, ran.stderr);
    assert.match((await product.cli(["alerts", "test", "--json"])).stdout, /"channel": "email", "ok": true/);
  });
}
