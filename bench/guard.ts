import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { prepareDataDirectory } from "../src/host/running/data-directory.ts";
import { renderRunit } from "../src/host/running/runit.ts";
import { programEnvironment, writeEnvironment } from "../src/host/running/supervise.ts";
import { ask } from "../src/host/sockets/control-client.ts";
import { answers } from "../src/host/sockets/unix-socket.ts";
import { installPrograms } from "../src/jobs/build/program.ts";
import { readSettings, writeFirstSettings } from "../src/jobs/settings-file/settings-file.ts";
import { makeSecrets } from "../src/mail/configuration/apply.ts";
import { addUsers, makeDirectories } from "../src/mail/configuration/directories.ts";
import { prepareDatabases } from "../src/programs/set-up/databases.ts";
import { type Layout, layoutOf } from "../src/settings/layout.ts";
import { settingsFile, WEB_KEYS } from "../src/settings/program-settings.ts";
import { hashPassword } from "../src/store/passwords/password-hash.ts";
import type { Lab } from "../test/lab/lab.ts";
import type { Environment } from "../test/lab/product.ts";
import { until } from "../test/lab/wait.ts";
import { Child, pinned, SERVER_CPU } from "./child.ts";
import { RECIPIENT } from "./policy-request.ts";

/** Settings under which nothing uses the network, and no answer sends Postfix to Postgrey, which is measured separately. */
const SITE: Environment = {
  GHOSTINBOX_DOMAIN: "example.org",
  GHOSTINBOX_HOSTNAME: "mail.example.org",
  GHOSTINBOX_GREYLIST__ENABLED: "false",
  GHOSTINBOX_DNSBL__ZONES: "[]",
  // All clients here are in a few networks, which would otherwise be banned whole.
  GHOSTINBOX_BANS__NEIGHBOURS: "1000",
  GHOSTINBOX_LIMITS__NETWORKS__FAILURES: "1000",
};
/** Keeps ten million events. By default the guard keeps one million, and would remove the others during the run. */
export const KEEPS_ALL: Environment = { GHOSTINBOX_EVENTS__MAX_ROWS: "20000000", GHOSTINBOX_EVENTS__MAX_SIZE: "64GB" };

/**
 * Our programs in a separate data directory on the lab's server host: the bundles, flags, users and rights of
 * production, by the run scripts that runit would start; without Postfix and Dovecot.
 */
export class Programs {
  readonly layout: Layout;
  readonly #lab: Lab;

  private constructor(lab: Lab, layout: Layout) {
    this.#lab = lab;
    this.layout = layout;
  }

  static async prepare(lab: Lab): Promise<Programs> {
    const layout = layoutOf(join(lab.directory, "guard"));
    prepareDataDirectory(layout.data);
    await addUsers();
    makeDirectories(layout);
    const read = readSettings(layout, SITE);
    writeFirstSettings(layout, read);
    writeFileSync(layout.webSettings, settingsFile(WEB_KEYS, read.sources));
    makeSecrets(layout);
    await installPrograms(layout);
    const programs = new Programs(lab, layout);
    await programs.wipe();
    return programs;
  }

  get loginSecret(): string {
    return readFileSync(this.layout.loginPolicySecret, "utf8").trim();
  }

  /** Empties the databases. None of our programs may run. */
  async wipe(): Promise<void> {
    for (const file of [this.layout.engineDb, this.layout.accountsDb])
      for (const suffix of ["", "-wal", "-shm"]) rmSync(`${file}${suffix}`, { force: true });
    await prepareDatabases(this.layout, null, this.#environment({}));
  }

  /** Starts a program without waiting for it. */
  launch(name: "guard" | "web" | "keeper", settings: Environment = {}, under: readonly string[] = []): Child {
    const { layout } = this;
    writeEnvironment(layout.environment, this.#environment(settings));
    const script = renderRunit({
      layout,
      netAdmin: true,
      export: false,
      mail: {},
    }).find(({ service }) => service === name);
    if (script === undefined) throw new Error(`no script of ${name}`);
    // As under runit, each has its own directory, where the script leaves marks. It ends the processes that earlier marks name.
    const directory = join(dirname(layout.environment), name);
    mkdirSync(directory, { recursive: true });
    const file = join(directory, "run");
    writeFileSync(file, script.run);
    chmodSync(file, 0o755);
    const there = ["env", "-C", directory, ...under, file];
    return new Child(this.#lab.server.inside(pinned(SERVER_CPU, there)));
  }

  /** Starts it and makes the mailbox that the load writes to. */
  async startGuard(settings: Environment = {}, under: readonly string[] = []): Promise<Child> {
    const guard = this.launch("guard", settings, under);
    await until("the guard has filled the firewall", async () => {
      guard.mustRun();
      return (await answers(this.layout.policySocket)) && guard.output.includes("The guard is ready");
    });
    const command = {
      verb: "account_create_hashed",
      name: RECIPIENT,
      hash: await hashPassword("a long phrase for alice"),
    } as const;
    const added = await ask(this.layout.controlSocket, { by: "root" }, command);
    if (!added.ok) throw new Error(added.message);
    return guard;
  }

  /** Stops these programs after the work, and removes the guard's tables from the kernel. */
  async whileRunning<T>(children: readonly Child[], work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await Promise.all(children.map((child) => child.stop()));
      await this.#lab.server.exec(["nft", "delete", "table", "inet", "ghostinbox"]);
    }
  }

  async startAll(settings: Environment = {}): Promise<Readonly<Record<"guard" | "web" | "keeper", Child>>> {
    const keeper = this.launch("keeper", settings);
    await until("the keeper listens", () => answers(this.layout.keeperSocket));
    const guard = await this.startGuard(settings);
    const web = this.launch("web", settings);
    await until("the web listens", () => {
      web.mustRun();
      return web.output.includes("listening");
    });
    return { guard, web, keeper };
  }

  #environment(settings: Environment): Readonly<Record<string, string>> {
    return { ...programEnvironment(this.layout, { ...SITE, ...settings }), PATH: process.env["PATH"] ?? "" };
  }
}
