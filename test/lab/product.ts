import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BanItem } from "../../src/admin/bans.ts";
import { layoutOf } from "../../src/settings/layout.ts";
import { patience, patienceSeconds } from "../kit/patience.ts";
import { CHECKOUT, START_SCRIPT } from "./checkout.ts";
import { asksOnlyTheServer, commandHere } from "./command-line.ts";
import { type Ran, type RunOptions, signal } from "./commands.ts";
import { rootOf } from "./dns.ts";
import { FOR_TESTS } from "./for-tests.ts";
import { makeKnownSecret } from "./known-secret.ts";
import type { Lab } from "./lab.ts";
import { processesOf } from "./network.ts";
import { recordedBy } from "./recorded.ts";
import { Typist } from "./typist.ts";
import { Hopeless, until } from "./wait.ts";
import { type WebAnswer, WebClient } from "./web-client.ts";

export const PASSWORD = "seven unrelated words make good ones";
const READY = "Ctrl-C stops everything.";
export const ADMIN_PASSWORD = "a long phrase for the dashboard";

/** Settings by their environment names: `{ GHOSTINBOX_BANS__LADDER: "2s,4s" }`. Undefined: the variable is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;

type SvCommand = "up" | "once" | "cont" | "kill" | "down" | "pause" | "restart" | "force-stop";
type Place = Readonly<{ data?: string; within?: readonly string[] | undefined; checkout?: string | undefined }>;
type FailOptions = RunOptions & Readonly<{ code?: number }>;
type ProductOptions = Place & Readonly<{ isByNpm?: boolean }>;

/** The server as a user starts it: `npm start` on the lab's server host. */
export class Product {
  readonly lab: Lab;
  readonly layout: ReturnType<typeof layoutOf>;
  #environment: Environment;
  #child: ChildProcess | null = null;
  readonly #starts: () => readonly string[];
  readonly #checkout: string;
  #output = "";
  #token: Promise<string> | undefined;
  #web: Promise<WebClient> | undefined;
  readonly #recorded: ReturnType<typeof recordedBy>;
  readonly alerts = () => this.#recorded.alerts();
  readonly events = (ip: string) => this.#recorded.events(ip);
  readonly guardAnswers = () => this.#recorded.guardAnswers();
  readonly stats = () => this.#recorded.stats();

  /**
   * `data`: its data directory. `within`: a program that starts `npm start`, with fewer rights than the lab has.
   * `checkout`: where it is started, if not here. If `isByNpm` is false, runs the start script directly, without the cost of npm.
   */
  constructor(lab: Lab, settings: Environment = {}, options: ProductOptions = {}) {
    const { data, within = [], checkout = CHECKOUT, isByNpm = true } = options;
    // `within` may be known only later (container.ts).
    this.#starts = () => [...within, ...(isByNpm ? ["npm", "--silent", "start"] : ["sh", "-c", START_SCRIPT])];
    this.#checkout = checkout;
    this.lab = lab;
    this.layout = layoutOf(data ?? lab.path("data"));
    this.#recorded = recordedBy(this.layout);
    const root = rootOf(lab.directory);
    this.#environment = {
      GHOSTINBOX_DNS__ROOT_HINTS: root.hints,
      GHOSTINBOX_DNS__TRUST_ANCHOR: root.anchor,
      GHOSTINBOX_DATA: this.layout.data,
      GHOSTINBOX_DOMAIN: "example.test",
      GHOSTINBOX_HOSTNAME: "mail.example.test",
      ADMIN_PASSWORD,
      ...FOR_TESTS,
      ...settings,
    };
  }

  /** Adds settings for its next start. */
  set(settings: Environment): void {
    this.#environment = { ...this.#environment, ...settings };
  }

  /** Replaces the settings file: these lines, after the domain and host name from the first start. */
  writeSettings(toml: string): void {
    const { GHOSTINBOX_DOMAIN: domain = "", GHOSTINBOX_HOSTNAME: hostname = "" } = this.#environment;
    writeFileSync(this.layout.settings, `domains = ["${domain}"]\nhostname = "${hostname}"\n${toml}`);
  }

  /** All output since its last start. */
  get output(): string {
    return this.#output;
  }

  /** Starts it and waits until it reports that it runs. */
  async start(): Promise<this> {
    this.#launch();
    await until("the server is ready", () => this.#output.includes(READY) || this.#failIfEnded());
    return this;
  }

  /** Starts at a separate terminal, which a test can close, and waits until it prints that it runs. */
  async startAtTerminal(): Promise<Typist> {
    const env = Object.entries(this.#environment).map(([name, value]) => `${name}=${value}`);
    const before = ["env", `--chdir=${this.#checkout}`, ...env];
    const typist = new Typist((argv) => this.lab.server.inside([...before, ...argv]), "npm --silent start");
    await typist.sees(new RegExp(RegExp.escape(READY)));
    return typist;
  }

  /** Starts it, expects that to fail, and returns the exit code. Kills it if it has not ended after 30 s. */
  async startInVain(): Promise<number | null> {
    const child = this.#launch();
    const timer = setTimeout(() => void this.stop("SIGKILL"), patience(30_000));
    await once(child, "close").finally(() => clearTimeout(timer));
    return child.exitCode;
  }

  #launch(): ChildProcess {
    this.#output = "";
    makeKnownSecret(this.layout);
    const [program = "", ...argv] = this.lab.server.inside(this.#starts());
    // A separate process group: Ctrl-C in a terminal reaches the whole group.
    const child = spawn(program, argv, {
      cwd: this.#checkout,
      env: { ...process.env, ...this.#environment },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
    this.#child = child;
    return child;
  }

  /** Sends Ctrl-C (or worse): resolves once `npm start` has ended; none of its processes may be left after 30 s. */
  async stop(signal: "SIGINT" | "SIGTERM" | "SIGKILL" = "SIGINT"): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined) return;
    this.#child = null;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "close", { signal: AbortSignal.timeout(patience(30_000)) });
    process.kill(-child.pid, signal);
    await ended;
  }

  /** For the end of a test file: Ctrl-C must end everything, and report it. */
  async stopAndCheck(): Promise<void> {
    await this.stop();
    assert.match(this.#output, /GhostInbox has stopped\./);
    assert.deepEqual(this.processes(), [], "nothing is left running");
  }

  /** The programs on the server host, except the lab's own agent. One in brackets has ended and waits for its parent. */
  readonly processes = (): readonly string[] =>
    processesOf("server").filter((line) => !line.includes("agent.ts") && !/^\d+ \[/.test(line));

  /** Ids of the processes there whose command line matches. */
  readonly pidsOf = (pattern: RegExp): readonly number[] =>
    this.processes().flatMap((line) => (pattern.test(line) ? [Number.parseInt(line, 10)] : []));

  /** Kills these programs there (SIGKILL), once there are any. Returns the first. */
  async kill(pattern: RegExp): Promise<number> {
    return until(`${pattern.source} runs`, () => {
      const pids = this.pidsOf(pattern);
      for (const pid of pids) signal(pid, "SIGKILL");
      return pids[0];
    });
  }

  /** Runs a command. Most need no process: see command-line.ts. */
  async cli(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    if (this.#checkout !== CHECKOUT || !asksOnlyTheServer(argv)) return this.typed(argv, options);
    return commandHere(argv, { ...process.env, ...this.#environment, ...options.env }, options.input);
  }

  /** Runs a command as typed on the server host. */
  async typed(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
    const env = { ...this.#environment, ...options.env };
    return this.lab.server.exec([join(this.#checkout, "ghostinbox"), ...argv], { ...options, env });
  }

  /** Sends a command to services (sv(8)) and waits until it has taken effect, but doesn't wait for a service that starts. */
  async sv(command: SvCommand, ...services: readonly string[]): Promise<void> {
    const waits = ["up", "once", "cont", "kill"].includes(command) ? [] : ["-w", patienceSeconds(20)];
    const paths = services.map((name) => join(this.layout.services, name));
    await this.lab.server.mustExec(["sv", ...waits, command, ...paths]);
  }

  /** Runs a line as typed in the checkout. */
  readonly shell = (line: string): Promise<Ran> =>
    this.lab.server.exec(["bash", "-c", `cd '${this.#checkout}' && ${line}`], { env: this.#environment });

  /** Runs a command that must succeed; returns its output. */
  async does(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.cli(argv, options);
    assert.equal(code, 0, `ghostinbox ${argv.join(" ")}: ${code}\n${stdout}${stderr}`);
    return stdout;
  }

  /** Runs a command, whose words have no spaces; returns everything that it prints. */
  readonly prints = async (line: string, input = ""): Promise<string> => {
    const { stdout, stderr } = await this.cli(line.split(" "), { input });
    return stdout + stderr;
  };

  /** Runs a command that must fail, with this exit code and this error. */
  async fails(argv: readonly string[], says: RegExp, options: FailOptions = {}): Promise<void> {
    const { code, stdout, stderr } = await this.cli(argv, options);
    assert.equal(code, options.code ?? 1, `ghostinbox ${argv.join(" ")}: ${code}\n${stdout}${stderr}`);
    assert.match(stderr, says);
  }

  /** Runs a command that must succeed; returns its `--json` output. */
  async json(argv: readonly string[], options: RunOptions = {}): Promise<unknown> {
    return JSON.parse(await this.does([...argv, "--json"], options));
  }

  /** Asks the HTTP API, with a separate token, from the server's loopback. */
  async api(method: "GET" | "POST", path: string, body?: unknown, token?: string): Promise<WebAnswer> {
    this.#token ??= this.makeToken("lab");
    this.#web ??= WebClient.local(this.lab.server);
    return (await this.#web).bearing(token ?? (await this.#token)).ask(method, path, { body });
  }

  async makeToken(name: string, ...options: readonly string[]): Promise<string> {
    const answer = JSON.stringify(await this.json(["token", "create", name, ...options]));
    const token = /"token":"([^"]+)"/.exec(answer)?.[1];
    if (token === undefined) throw new Error(`no token in ${answer}`);
    return token;
  }

  readonly addAccount = (name: string) =>
    this.json(["account", "add", name, "--password-stdin"], { input: `${PASSWORD}\n` });

  /** Puts settings into the file, as `writeSettings` does, and applies them. */
  async applySettings(toml: string): Promise<void> {
    this.writeSettings(toml);
    await this.json(["config", "apply"]);
  }

  /** Sets keys of the settings file, each followed by its value, and applies them. */
  async configure(...keysAndValues: readonly string[]): Promise<void> {
    await this.json(["config", "set", ...keysAndValues]);
    await this.json(["config", "apply", "--yes"]);
  }

  /** The detail of a notice that `status` shows; undefined if it does not. */
  readonly notice = async (code: string): Promise<string | undefined> =>
    (await this.stats()).health.notices.find((one) => one.code === code)?.detail;

  readonly hasNotice = async (code: string): Promise<boolean> => (await this.notice(code)) !== undefined;

  readonly banOf = async (ip: string): Promise<BanItem | undefined> =>
    (await this.#recorded.bans()).find((ban) => ban.ip === ip || ban.prefix === ip);

  /** The stock `sqlite3` of Debian on a database; rows as arrays of text. */
  async sqlite(sql: string, file: string = this.layout.engineDb): Promise<readonly (readonly string[])[]> {
    const printed = await this.lab.server.mustExec(["sqlite3", "-separator", "\t", `file:${file}?mode=ro`, sql]);
    return printed.split("\n").flatMap((line) => (line === "" ? [] : [line.split("\t")]));
  }

  readonly countEvents = async (condition: string): Promise<number> =>
    Number((await this.sqlite(`SELECT count(*) FROM event WHERE ${condition}`))[0]?.[0]);

  /** The whole table of the guard, as nft lists it. */
  readonly firewall = (): Promise<string> => this.lab.server.mustExec(["nft", "list", "table", "inet", "ghostinbox"]);

  /** Only its sets of bans: other sets contain known addresses, or those with many connections. */
  readonly firewallBans = async (): Promise<string> =>
    ((await this.firewall()).match(/set (?:ban|net)\w+ \{[^}]*(?:\{[^}]*\}[^}]*)?\}/g) ?? []).join("\n");

  #failIfEnded(): false {
    if (this.#child === null || this.#child.exitCode !== null)
      throw new Hopeless(`npm start has ended:\n${this.#output.slice(-4_000)}`);
    return false;
  }
}
