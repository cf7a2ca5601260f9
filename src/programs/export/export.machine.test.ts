// Invariant: No kept event is missing from an export: the position moves only once the receiver has confirmed, and repeated events have the same id.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { after, before, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadValid } from "../../../test/kit/loaded-settings.ts";
import { listenOnPort } from "../../../test/kit/local-server.ts";
import { lacking } from "../../../test/kit/needs.ts";
import { ownCertificate } from "../../../test/kit/own-certificate.ts";
import { patience } from "../../../test/kit/patience.ts";
import { temporaryDirectory } from "../../../test/kit/temporary-directory.ts";
import { eventRows, record, START } from "../../../test/kit/test-database.ts";
import { DAY_MS, isoTime, later, type Millis } from "../../core/time.ts";
import { readDelivery } from "../../jobs/export/delivery-record.ts";
import { layoutOf } from "../../settings/layout.ts";
import { EXPORT_KEYS, settingsFile } from "../../settings/program-settings.ts";
import { SqliteStore } from "../../store/engine-db/store.ts";
import { openEngine } from "../../store/open.ts";

const MODULES = ["imrelp.so", "lmnsd_gtls.so"].map(
  (name) => globSync(`/usr/lib/*/rsyslog/${name}`)[0] ?? `/usr/lib/rsyslog/${name}`,
);
const PROGRAM = fileURLToPath(new URL("main.ts", import.meta.url));
const WAIT = { timeout: patience(60_000), interval: 20 };

/** The exporter as a program, a real rsyslog, and a database that gets events. */
describe("events go to rsyslog", { skip: lacking({ installed: ["rsyslogd", "openssl", ...MODULES] }) }, () => {
  const top = temporaryDirectory();
  const at = (name: string): string => join(top, name);
  const children = new Set<ChildProcess>();
  before(() => {
    ownCertificate(top);
  });
  after(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  function start(argv: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const [program = "", ...rest] = argv;
    const child = spawn(program, rest, { stdio: "ignore", env: { ...process.env, ...env } });
    children.add(child);
    return child;
  }

  async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    const ended = once(child, "close");
    child.kill(signal);
    await ended;
    children.delete(child);
  }

  /** Both programs, which run and have delivered the first event. */
  async function site(t: TestContext, protocol: "relp" | "tls", name: string = protocol) {
    const layout = layoutOf(at(name));
    for (const path of [layout.engineDb, layout.exportSettings, layout.exportRecord.foreign])
      mkdirSync(dirname(path), { recursive: true });
    const db = openEngine(layout.engineDb);
    t.after(() => db.close());
    const store = new SqliteStore(db);
    const probe = createServer();
    const port = await listenOnPort(probe);
    probe.close();
    const { sources } = loadValid(
      `domains = ["example.org"]\n[export.syslog]\nenabled = true\nhost = "127.0.0.1"\nport = ${port}\n` +
        `protocol = "${protocol}"\nca = "${at("cert.pem")}"\ncert = "${at("cert.pem")}"\nkey = "${at("key.pem")}"\n`,
    );
    writeFileSync(layout.exportSettings, settingsFile(EXPORT_KEYS, sources));
    const received = at(`${name}.log`);
    const conf = at(`${name}.conf`);
    writeFileSync(conf, `${rsyslogConf({ protocol, port, received, at })}\n`);
    const rsyslog = (): ChildProcess => start(["rsyslogd", "-n", "-f", conf, "-i", at(`${name}.pid`)]);
    const exporter = (): ChildProcess => start([process.execPath, PROGRAM], { GHOSTINBOX_DATA: layout.data });
    const lines = (): readonly string[] =>
      existsSync(received) ? (readFileSync(received, "utf8").match(/.+/g) ?? []) : [];
    /** The ids of new events. */
    const append = (count: number) => record(store, ...eventRows(count, "198.51.100.7", START));
    const delivered = () => readDelivery(layout.exportRecord);
    append(1);
    const programs = { receiver: rsyslog(), sender: exporter() };
    await t.waitFor(() => assert.equal(delivered()?.position, 1), WAIT);
    return {
      programs,
      rsyslog,
      exporter,
      lines,
      append,
      /** Replaces this database with a different one, as a recovery does; its events are of this time. */
      replace: (count: number, time: Millis): void => {
        const fresh = openEngine(`${layout.engineDb}.new`);
        record(new SqliteStore(fresh), ...eventRows(count, "198.51.100.7", time));
        fresh.close();
        for (const end of ["-wal", "-shm"]) rmSync(`${layout.engineDb}${end}`, { force: true });
        renameSync(`${layout.engineDb}.new`, layout.engineDb);
      },
      damage: (): void => writeFileSync(layout.exportRecord.foreign, "{"),
      delivered,
      arrived: (ids: readonly number[]) =>
        t.waitFor(() => {
          const there = new Set(lines().map(idOf));
          const missing = ids.filter((id) => !there.has(id));
          assert.deepEqual(missing, []);
        }, WAIT),
    };
  }

  test("RELP loses nothing when rsyslog or the exporter is killed, and repeated events have the same id", async (t) => {
    const { programs, rsyslog, exporter, lines, append, delivered, arrived } = await site(t, "relp");
    let { receiver, sender } = programs;
    const ids = [...append(500)];
    for (const round of [1, 2, 3]) {
      await arrived(ids.slice(0, -200));
      ids.push(...append(2_000));
      await arrived(ids.slice(0, -1_500));
      // In the middle of the export.
      await kill(round === 2 ? sender : receiver, "SIGKILL");
      ids.push(...append(100));
      if (round === 2) sender = exporter();
      else receiver = rsyslog();
    }
    await arrived(ids);
    const second = /^<86>1 2026-\S+Z mail\.example\.org ghostinbox - CONNECT \[ghostinbox@32473 id="2"\] \{/;
    assert.match(lines()[0] ?? "", second);
    const byId = Map.groupBy(lines(), idOf);
    for (const [id, copies] of byId) assert.equal(new Set(copies).size, 1, `${id} differs between its copies`);
    t.diagnostic(`${ids.length} events, ${lines().length - byId.size} of them twice`);
    const sent = [...byId.keys()].toSorted((a, b) => a - b);
    assert.deepEqual(sent, ids, "and no other");
    await t.waitFor(() => assert.equal(delivered()?.position, ids.at(-1)), WAIT);
    assert.deepEqual([delivered()?.trouble, delivered()?.lost], [null, null]);
  });

  test("over plain TLS nothing is lost when rsyslog is restarted, was away, or has a new certificate", async (t) => {
    const { programs, rsyslog, exporter, append, delivered, arrived } = await site(t, "tls");
    let { receiver } = programs;
    const ids = [...append(300)];
    await arrived(ids);
    await kill(receiver, "SIGTERM");
    ids.push(...append(50));
    await t.waitFor(() => assert.match(delivered()?.trouble ?? "", /ECONNREFUSED/), WAIT);
    await kill(programs.sender, "SIGKILL");
    receiver = rsyslog();
    exporter();
    ids.push(...append(50));
    await arrived(ids);
    await kill(receiver, "SIGTERM");
    rmSync(at("key.pem"));
    ids.push(...append(50));
    await t.waitFor(() => assert.match(delivered()?.trouble ?? "", /key\.pem/), WAIT);
    ownCertificate(top);
    rsyslog();
    await arrived(ids);
    await t.waitFor(() => assert.equal(delivered()?.position, ids.at(-1)), WAIT);
  });

  test("a replaced database is sent completely, and so is any database after the record was damaged", async (t) => {
    const { programs, exporter, lines, append, replace, damage, delivered, arrived } = await site(
      t,
      "relp",
      "replaced",
    );
    await arrived(append(2));
    const time = later(START, DAY_MS);
    replace(5, time);
    // It ends, and runsv(8) starts it again.
    await once(programs.sender, "close");
    assert.match(delivered()?.trouble ?? "", /engine\.db was replaced/);
    const sender = exporter();
    const ofOther = () => lines().flatMap((line) => (line.includes(isoTime(time)) ? [idOf(line)] : []));
    await t.waitFor(() => assert.deepEqual(ofOther(), [1, 2, 3, 4, 5]), WAIT);
    await t.waitFor(() => assert.equal(delivered()?.position, 5), WAIT);
    assert.deepEqual([delivered()?.trouble, delivered()?.lost], [null, null]);
    await kill(sender, "SIGKILL");
    damage();
    exporter();
    await t.waitFor(() => assert.deepEqual(ofOther(), [1, 2, 3, 4, 5, 1, 2, 3, 4, 5]), WAIT);
  });
});

function idOf(line: string): number {
  return Number(/^<\d+>1 \S+ \S+ ghostinbox - [A-Z_]+ \[ghostinbox@32473 id="(\d+)"\] \{.*\}$/.exec(line)?.[1]);
}

type Receiver = Readonly<{ protocol: "relp" | "tls"; port: number; received: string; at: (name: string) => string }>;

/** The configuration from docs/siem.md. */
function rsyslogConf({ protocol, port, received, at }: Receiver): string {
  const page = readFileSync(new URL("../../../docs/siem.md", import.meta.url), "utf8");
  const printed = new RegExp(`^\`\`\`rsyslog-${protocol}\\n([^]*?)^\`\`\`$`, "m").exec(page)?.[1];
  assert.ok(printed !== undefined, `docs/siem.md prints no configuration for ${protocol}`);
  return printed
    .replaceAll("/etc/rsyslog.d/ghostinbox-ca.pem", at("cert.pem"))
    .replaceAll("/etc/rsyslog.d/ghostinbox-cert.pem", at("cert.pem"))
    .replaceAll("/etc/rsyslog.d/ghostinbox-key.pem", at("key.pem"))
    .replaceAll("/var/log/ghostinbox.log", received)
    .replaceAll("6514", String(port));
}
